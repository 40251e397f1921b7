"""Memory that was freed goes back to the system where the C library is glibc; another one is left as it is."""

import ctypes
from contextlib import suppress
from typing import Final

from streaming.clock import Clock
from streaming.ports import Progress

_LARGE_BYTES: Final = 128 * 1024
_M_MMAP_THRESHOLD: Final = -3
"""Of malloc.h, as mallopt(3) explains it."""
_EVERY_S: Final = 60.0


def map_large_blocks() -> None:
    """Have a block of 128 kB or more be a mapping of its own, always.

    glibc begins so, but raises the bound to the largest block that was freed (a chain's bytes: megabytes), and from
    then on what lies between smaller blocks stays with the process.
    """
    _ask_glibc("mallopt", _M_MMAP_THRESHOLD, _LARGE_BYTES)


async def give_back_freed(clock: Clock, progress: Progress) -> None:
    """The background job: once a minute give back every free page, which takes less than a millisecond."""
    while True:
        await clock.sleep(_EVERY_S)
        _ask_glibc("malloc_trim", 0)
        progress()


def _ask_glibc(function: str, *arguments: int) -> None:
    with suppress(OSError, AttributeError, TypeError):  # no such library, no such function, Windows
        getattr(ctypes.CDLL(None), function)(*arguments)
