import asyncio
import threading
import time

import pytest

from streaming.errors import OperatorError
from streaming.recording.disk import RecordDisk
from streaming.recording.recording_files import parts_in
from streaming.recording.tick_follower import Position
from streaming.recording.writer import RecordWriter

KEY = ("snapshots", "2026-11-20")


class SlowWriter(RecordWriter):
    """Notes which thread works, and takes its time."""

    threads: set[str] = set()  # noqa: RUF012  # of this test's process

    def write(self, batch, *, today=()):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.05)
        return super().write(batch, today=today)


def disk(folder, kind=SlowWriter):
    return RecordDisk(kind(folder, max_mb=10))


async def test_the_disk_is_written_in_a_thread_of_its_own(tmp_path):
    async with disk(tmp_path) as one:
        await one.write({KEY: [b"1\n"]}, today="2026-11-20", position=None)
        assert one.written_bytes == one.total_bytes > 0
    assert all(name.startswith("recorder") for name in SlowWriter.threads)


async def test_a_batch_in_hand_is_written_though_the_writing_is_cancelled(tmp_path):
    async with disk(tmp_path) as one:
        writings = [
            asyncio.create_task(one.write({(kind, KEY[1]): [b"1\n"]}, today=KEY[1], position=None))
            for kind in ("snapshots", "ticks")
        ]
        await asyncio.sleep(0.01)
        for writing in writings:
            writing.cancel()
        await asyncio.wait(writings)
        assert all(writing.cancelled() for writing in writings)
    assert [part.kind for part in parts_in(tmp_path)] == ["snapshots", "ticks"]


async def test_the_position_is_kept_and_a_damaged_one_is_none(tmp_path):
    async with disk(tmp_path) as one:
        assert one.position() is None
        await one.write({}, today="2026-11-20", position=Position("5-1", 7))
        assert one.position() == Position("5-1", 7)
        (tmp_path / "ticks.position").write_bytes(b"\xff")
        assert one.position() is None


async def test_a_folder_in_use_is_told_and_the_disk_can_be_opened_later(tmp_path):
    one = disk(tmp_path)
    async with disk(tmp_path):
        with pytest.raises(OperatorError, match="records into"):
            await one.__aenter__()
    async with one:
        await one.write({KEY: [b"1\n"]}, today="2026-11-20", position=None)
