"""The writer's thread: the event loop never waits for a compression or for the disk."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

import msgspec

from streaming.errors import UNREADABLE
from streaming.recording.recording_files import Part
from streaming.recording.tick_follower import Position
from streaming.recording.writer import PartKey, RecordWriter


class RecordDisk:
    """A `RecordWriter` in a thread of its own; an async context manager, entered again after it was left."""

    def __init__(self, writer: RecordWriter) -> None:
        self._writer = writer
        self._thread: ThreadPoolExecutor | None = None

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recorder")
        try:
            await self._loop.run_in_executor(self._thread, self._writer.__enter__)
        except BaseException:
            self._thread.shutdown(wait=False)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            await self._loop.run_in_executor(self._thread, self._writer.__exit__, kind, error, trace)
            self._thread.shutdown(wait=False)

    @property
    def total_bytes(self) -> int:
        """Of all recordings in the folder."""
        return self._writer.total_bytes

    @property
    def written_bytes(self) -> int:
        """By this process."""
        return self._writer.written_bytes

    def left_at(self, key: PartKey) -> int | None:
        """When an earlier writer wrote last, in ms; None when none did on that day."""
        return self._writer.left_at.get(key)

    def position(self) -> Position | None:
        """How far the tick stream was read when it was written last."""
        saved = self._writer.position()
        try:
            return None if saved is None else msgspec.json.decode(saved, type=Position)
        except UNREADABLE:
            return None

    async def write(self, batch: Mapping[PartKey, Sequence[bytes]], *, today: str, position: Position | None) -> None:
        """Write a batch, then how far it goes, all of it also when cancelled; raises as `RecordWriter.write`."""
        writing = self._loop.run_in_executor(self._thread, self._write, batch, today, position)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            writing.result()
            raise

    async def remove(self, parts: Sequence[Part]) -> None:
        """Remove parts that have not grown since; raises as writing."""
        await self._loop.run_in_executor(self._thread, self._writer.remove, parts)

    def _write(self, batch: Mapping[PartKey, Sequence[bytes]], today: str, position: Position | None) -> None:
        self._writer.write(batch, today=(today,))
        if position is not None:
            self._writer.save_position(msgspec.json.encode(position))

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()
