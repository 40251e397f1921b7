"""streaming/sources/schwab_source.py"""

from dataclasses import dataclass

import pytest

from streaming.engine.loop import SnapshotCounters
from streaming.sources.schwab_source import SchwabSource
from streaming.status import StreamStatus
from streaming.symbols import parse_ticker


@dataclass
class _Stream:
    now: StreamStatus
    counters: SnapshotCounters
    chain_errors: int

    async def run(self, progress):
        progress()

    def status(self):
        return self.now


@pytest.mark.parametrize(
    ("stream", "snapshots", "state"),
    [
        ("live", 4, "live"),
        ("live", 0, "waiting"),
        ("connecting", 0, "waiting"),
        ("standby", 0, "standby"),
        ("stopped", 4, "stopped"),
        ("backoff", 4, "failing"),
        ("needs_login", 4, "needs_action"),
    ],
)
def test_the_streamer_is_a_source_like_the_others(stream, snapshots, state):
    counters = SnapshotCounters(snapshots=snapshots, compute_errors=1, store_errors=2)
    streaming = StreamStatus(state=stream, last_error="why", chains_refused=3)
    status = SchwabSource([parse_ticker("SPX")], _Stream(streaming, counters, 7)).status()
    assert status.rejected == 3
    assert (status.name, status.tickers, status.state) == ("schwab", ("SPX",), state)
    assert (status.snapshots, status.errors, status.last_error) == (snapshots, 7, "why")


async def test_running_it_is_running_the_streamer():
    flowed = []
    source = SchwabSource([parse_ticker("SPX")], _Stream(StreamStatus(state="live"), SnapshotCounters(), 0))
    await source.run(lambda: flowed.append(1))
    assert flowed == [1]
