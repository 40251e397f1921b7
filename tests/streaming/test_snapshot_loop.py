import asyncio
from contextlib import suppress

from streaming.errors import TransientError
from streaming.snapshot_loop import SnapshotCounters, SnapshotLoop
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot
from tests.support.waiting import until


class Room:
    """Always has news of two tickers; one of them may not compute."""

    def __init__(self):
        self.broken = set()
        self.error = FloatingPointError("overflow")

    def take_dirty(self):
        return ("NDX", "SPX")

    def compute(self, name, now):
        if name in self.broken:
            raise self.error
        return None if name == "NDX" else snapshot()


class Sink:
    def __init__(self):
        self.stored = 0
        self.error = None

    async def put(self, snapshot):
        if self.error is not None:
            raise self.error
        self.stored += 1


async def run_until(room, sink, condition):
    counters = SnapshotCounters()
    loop = SnapshotLoop(room, sink, ManualClock(), every_s=1.0, counters=counters)
    task = asyncio.create_task(loop.run())
    try:
        await until(lambda: condition(counters))
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return counters


async def test_what_can_be_computed_is_stored():
    sink = Sink()
    counters = await run_until(Room(), sink, lambda counters: counters.snapshots >= 3)
    assert sink.stored == counters.snapshots
    assert counters.last_snapshot_at is not None and counters.compute_ms is not None


async def test_a_ticker_that_fails_is_counted_and_the_others_go_on():
    room = Room()
    room.broken = {"NDX"}
    counters = await run_until(room, Sink(), lambda counters: counters.snapshots >= 3)
    assert counters.compute_errors >= 3
    assert counters.last_error == "NDX could not be computed (FloatingPointError)."


async def test_a_store_that_is_away_is_counted_and_tried_again():
    sink = Sink()
    sink.error = TransientError("Redis is away.")
    counters = await run_until(Room(), sink, lambda counters: counters.store_errors >= 3)
    assert (counters.snapshots, counters.last_error) == (0, "Redis is away.")


async def test_no_error_of_one_ticker_ends_the_stream_and_each_is_logged_once(caplog):
    room = Room()
    room.broken = {"NDX"}
    room.error = KeyError("strike")
    counters = await run_until(room, Sink(), lambda counters: counters.snapshots >= 4)
    assert counters.compute_errors >= 3
    assert counters.last_error == "NDX could not be computed (KeyError)."
    assert len([record for record in caplog.records if record.exc_info]) == 1
