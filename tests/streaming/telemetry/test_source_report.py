"""Telemetry of the sources."""

from datetime import UTC, datetime

import pytest

from streaming.engine.loop import SnapshotCounters
from streaming.status import SourceStatus, StreamStatus
from streaming.telemetry.source_report import schwab_status, source_metrics

NOW = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)


def test_each_source_has_its_fields_under_its_name_and_what_is_unknown_is_none():
    fields = source_metrics([SourceStatus(name="cboe", tickers=("SPX", "SPY"), state="live", snapshots=3)], NOW)
    assert fields["updated_at"] == NOW
    assert (fields["cboe:state"], fields["cboe:tickers"], fields["cboe:snapshots"]) == ("live", "SPX,SPY", 3)
    assert fields["cboe:last_error"] is None
    assert fields["cboe:quote_at"] is None


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
    status = schwab_status(("SPX",), streaming, counters, 7)
    assert status.rejected == 3
    assert (status.name, status.tickers, status.state) == ("schwab", ("SPX",), state)
    assert (status.snapshots, status.errors, status.last_error) == (snapshots, 7, "why")
