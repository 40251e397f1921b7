"""Files of our own, private and forced to the disk, on systems that differ in how they lock, own and open them."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

PRIVATE_BYTES: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Children do not inherit the file, and Windows leaves its line ends alone."""
NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
NO_WAIT: Final = getattr(os, "O_NONBLOCK", 0)
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_NUMBERS: Final = count()


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


def open_folder(folder: Path) -> None:
    """Make a folder and those above it that are missing, private. OSError as it comes."""
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=_FOLDER_MODE, exist_ok=True)


@contextmanager
def fresh_file(target: Path) -> Iterator[Path]:
    """A private file beside `target` that nobody else writes, removed at the end. OSError as it comes."""
    fresh = target.with_name(f".{target.name}.{os.getpid()}.{next(_NUMBERS)}")
    fresh.touch(mode=_FILE_MODE)
    try:
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def put_in_place(fresh: Path, target: Path) -> None:
    """Let a whole file take the place of `target`, for good. OSError as it comes."""
    fresh.chmod(_FILE_MODE)
    settle(fresh)
    fresh.replace(target)
    settle(target.parent)
