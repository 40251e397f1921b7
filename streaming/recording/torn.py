"""The end of a part whose writer was killed in the middle of a member: found from behind, and cut off."""

import os
import zlib
from pathlib import Path
from typing import Final

from streaming.packed import GZIP_WINDOW

_WINDOW: Final = 1 << 20
_LEVEL: Final = 6


def pack(data: bytes) -> bytes:
    """One gzip member, the same bytes for the same data."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    return packer.compress(data) + packer.flush()


_HEADER: Final = pack(b"")[:8]
"""How every member begins: magic number, method, no flags, no time."""


def cut_torn_end(path: Path) -> int:
    """Shorten a part to its last whole member, so that `zcat` reads past it; the bytes cut. OSError as it comes.

    Only what was never acknowledged as written is lost. A file that holds no member of ours is left as it is.
    """
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        window = _WINDOW
        while True:
            begin = max(size - window, 0)
            file.seek(begin)
            whole = _whole(file.read())
            if whole is not None:
                break
            if begin == 0:
                return 0
            window *= 4
        end = begin + whole
        if end < size:
            file.truncate(end)
            os.fsync(file.fileno())
        return size - end


def _whole(tail: bytes) -> int | None:
    """How many bytes of a part's tail are whole members; None when not even the beginning of one is in it."""
    at = tail.rfind(_HEADER)
    while at >= 0:
        unpacker = zlib.decompressobj(GZIP_WINDOW)
        try:
            unpacker.decompress(tail[at:])
        except zlib.error:
            at = tail.rfind(_HEADER, 0, at)
            continue
        return len(tail) - len(unpacker.unused_data) if unpacker.eof else at
    return None
