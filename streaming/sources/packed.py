"""Gzip bodies of a bounded size. Pure."""

import zlib
from typing import Final

from streaming.errors import ContractError

MAGIC: Final = b"\x1f\x8b"
_GZIP: Final = 31
"""What zlib calls its window for a gzip member."""


def unpack(body: bytes, *, most_bytes: int) -> bytes:
    """What is inside; ContractError when it is no gzip, is cut off or is larger than `most_bytes`."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        inside = unpacker.decompress(body, most_bytes + 1)
    except zlib.error:
        raise ContractError("The body cannot be unpacked.") from None
    if len(inside) > most_bytes:
        raise ContractError(f"The body holds more than {most_bytes // 1_000_000} MB.")
    if not unpacker.eof:
        raise ContractError("The body is cut off.")
    return inside
