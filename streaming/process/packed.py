"""Data that may be packed with gzip: bodies of a bounded size, and files told by how they begin."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Final

from streaming.errors import ContractError

MAGIC: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = 31
"""What zlib calls its window for a gzip member."""


MOST_UNPACKED: Final = 64_000_000
"""Bytes of any file or answer as a whole; the largest chain there is takes a third of it."""


class Unpacker:
    """Takes a gzip or zlib stream piece by piece, and stops where more comes out than `most_bytes`."""

    def __init__(self, *, most_bytes: int, window: int = GZIP_WINDOW) -> None:
        self._window = window
        self._left = most_bytes
        self._most = most_bytes
        self._inner = zlib.decompressobj(window)

    @property
    def whole(self) -> bool:
        """Whether the stream has come to its end."""
        return self._inner.eof

    def feed(self, piece: bytes) -> bytes:
        """What comes out; members that follow one another are one stream, as gzip has it. ContractError for no gzip."""
        found = self._inflate(piece)
        while self.whole and self._inner.unused_data.startswith(MAGIC):
            rest, self._inner = self._inner.unused_data, zlib.decompressobj(self._window)
            found += self._inflate(rest)
        return found

    def _inflate(self, piece: bytes) -> bytes:
        try:
            found = self._inner.decompress(piece, self._left + 1)
        except zlib.error:
            raise ContractError("The body cannot be unpacked.") from None
        self._left -= len(found)
        if self._left < 0:
            raise ContractError(f"The body holds more than {self._most // 1_000_000} MB.")
        return found


def unpack(body: bytes, *, most_bytes: int = MOST_UNPACKED) -> bytes:
    """What is inside; ContractError when it is no gzip, is cut off or is larger than `most_bytes`."""
    unpacker = Unpacker(most_bytes=most_bytes)
    inside = unpacker.feed(body)
    if not unpacker.whole:
        raise ContractError("The body is cut off.")
    return inside


def is_packed(path: Path) -> bool:
    """Whether a file begins like gzip; OSError as it comes."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_unpacked(path: Path) -> gzip.GzipFile | BinaryIO:
    """A file's content, plain or gzip. OSError as it comes; reading what is damaged raises EOFError or zlib.error."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")
