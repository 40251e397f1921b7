"""WebSocket text messages in several frames, which the server library does not write by itself. Pure (RFC 6455 §5)."""

from typing import Final

_FINAL: Final = 0x80
_TEXT: Final = 0x1
_CONTINUES: Final = 0x0
_SHORT: Final = 125
_MEDIUM: Final = 0xFFFF


def in_pieces(payload: bytes, size: int = 0) -> bytes:
    """An unmasked, uncompressed text message in frames of at most `size` bytes; 0 for one frame."""
    step = size or max(len(payload), 1)
    starts = range(0, max(len(payload), 1), step)
    frames = []
    for start in starts:
        part = payload[start : start + step]
        opcode = _CONTINUES if start else _TEXT
        final = _FINAL if start + step >= len(payload) else 0
        frames.append(bytes((final | opcode,)) + _length(len(part)) + part)
    return b"".join(frames)


def _length(size: int) -> bytes:
    if size <= _SHORT:
        return bytes((size,))
    if size <= _MEDIUM:
        return b"\x7e" + size.to_bytes(2)
    return b"\x7f" + size.to_bytes(8)
