"""Files of our own, private and forced to the disk, on systems that differ in how they lock, own and open them."""

import os
import sys
from pathlib import Path
from typing import Final

PRIVATE_BYTES: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Children do not inherit the file, and Windows leaves its line ends alone."""
NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)


def take_lock(handle: int) -> None:
    """Hold an open file alone until it is closed, copies of children included; BlockingIOError when it is taken."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(*error.args) from None
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def own_uid() -> int:
    """The user whom our files belong to; Windows says 0 of every file."""
    return os.geteuid() if hasattr(os, "geteuid") else 0


def settle(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk. OSError as it comes."""
    if sys.platform == "win32" and path.is_dir():
        return  # which has no way to open one
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
