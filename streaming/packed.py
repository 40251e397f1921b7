"""Data that may be packed with gzip: bodies of a bounded size, and files told by how they begin."""

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Final

from streaming.errors import ContractError

MAGIC: Final = b"\x1f\x8b"
GZIP_WINDOW: Final = 31
"""What zlib calls its window for a gzip member."""


def unpack(body: bytes, *, most_bytes: int) -> bytes:
    """What is inside; ContractError when it is no gzip, is cut off or is larger than `most_bytes`."""
    unpacker = zlib.decompressobj(GZIP_WINDOW)
    try:
        inside = unpacker.decompress(body, most_bytes + 1)
    except zlib.error:
        raise ContractError("The body cannot be unpacked.") from None
    if len(inside) > most_bytes:
        raise ContractError(f"The body holds more than {most_bytes // 1_000_000} MB.")
    if not unpacker.eof:
        raise ContractError("The body is cut off.")
    return inside


def is_packed(path: Path) -> bool:
    """Whether a file begins like gzip; OSError as it comes."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def open_unpacked(path: Path) -> gzip.GzipFile | BinaryIO:
    """A file's content, plain or gzip. OSError as it comes; reading what is damaged raises EOFError or zlib.error."""
    return gzip.open(path, "rb") if is_packed(path) else path.open("rb")
