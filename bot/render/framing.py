"""How the bot and its chart worker talk: four bytes of length, then that many bytes. Pure."""

import struct
from typing import Final

HEADER: Final = struct.Struct(">I")
MOST_BYTES: Final = 16 * 1024 * 1024


def frame(body: bytes) -> bytes:
    """A body with its length in front; ValueError when it is too large."""
    if len(body) > MOST_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes is too large")
    return HEADER.pack(len(body)) + body
