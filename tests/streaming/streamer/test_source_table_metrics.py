"""Telemetry of the sources."""

from datetime import UTC, datetime

from streaming.status import SourceStatus
from streaming.streamer.source_table import source_metrics

NOW = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)


def test_each_source_has_its_fields_under_its_name_and_what_is_unknown_is_none():
    fields = source_metrics([SourceStatus(name="cboe", tickers=("SPX", "SPY"), state="live", snapshots=3)], NOW)
    assert fields["updated_at"] == NOW
    assert (fields["cboe:state"], fields["cboe:tickers"], fields["cboe:snapshots"]) == ("live", "SPX,SPY", 3)
    assert fields["cboe:last_error"] is None
    assert fields["cboe:quote_at"] is None
