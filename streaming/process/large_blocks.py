"""Memory that was freed goes back to the system at once where the C library is glibc."""

import ctypes
from contextlib import suppress
from typing import Final

LARGE_BYTES: Final = 128 * 1024
_M_MMAP_THRESHOLD: Final = -3
"""Of malloc.h, as mallopt(3) explains it."""


def give_back_large_blocks() -> None:
    """Have a block of 128 kB or more be a mapping of its own, always.

    glibc begins so, but raises the bound to the largest block that was freed (a chain's bytes: megabytes), and from
    then on what lies between smaller blocks stays with the process. Other C libraries are left as they are.
    """
    with suppress(OSError, AttributeError, TypeError):  # no such library, no such function, Windows
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
