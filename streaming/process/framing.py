"""How we talk to our worker processes over pipes: four bytes of length, then that many bytes."""

import os
import select
import signal
import struct
import sys
from typing import BinaryIO, Final

HEADER: Final = struct.Struct(">I")
MOST_BYTES: Final = 64 * 1024 * 1024


def frame(body: bytes) -> bytes:
    """A body with its length in front; ValueError when it is too large."""
    return header(body) + body


def header(body: bytes) -> bytes:
    """The length alone, for bodies that are too large to copy; ValueError when it is too large."""
    if len(body) > MOST_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes is too large")
    return HEADER.pack(len(body))


class FrameReader:
    """Reads frames from a file descriptor that blocks; nothing is read ahead."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes | None:
        """The next body; None when the other side has closed the pipe, also in the middle of a body."""
        prefix = self._exactly(HEADER.size)
        return None if prefix is None else self._exactly(*HEADER.unpack(prefix))

    def is_waiting(self, within_s: float = 0.0) -> bool:
        """Whether something comes to be read, or the other side closes the pipe, within a time."""
        return bool(select.select([self._descriptor], [], [], within_s)[0])

    def _exactly(self, length: int) -> bytes | None:
        body = bytearray(length)
        view, there = memoryview(body), 0
        while there < length:
            read = _read_into(self._descriptor, view[there:])
            if not read:
                return None
            there += read
        return bytes(body)


def _read_into(descriptor: int, view: memoryview) -> int:
    """How many bytes have come; without a copy where the system can."""
    if hasattr(os, "readv"):
        return os.readv(descriptor, [view])
    body = os.read(descriptor, len(view))
    view[: len(body)] = body
    return len(body)


def take_pipes() -> tuple[FrameReader, BinaryIO]:
    """In a worker process: where its orders come from, and where its answers go.

    Whatever a library prints goes to the log, not between the frames. Ctrl+C reaches the whole group; what ends a
    worker is that its parent closes its input.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return FrameReader(sys.stdin.fileno()), answers


def be_polite(by: int) -> None:
    """Leave the processor to others, where the system knows degrees."""
    if hasattr(os, "nice"):
        os.nice(by)
