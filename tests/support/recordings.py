"""A small recording made up for tests: two tickers, one snapshot a second each, and a tick between."""

from datetime import datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from streaming.bus.codec import encode_event, encode_snapshot
from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms
from streaming.recording.record_lines import Gap, gap_line, snapshot_line, tick_line
from streaming.recording.writer import RecordWriter
from tests.support.events import tick
from tests.support.snapshots import snapshot

BEGIN = datetime(2026, 11, 20, 10, 29, 55, tzinfo=NEW_YORK)
DAY = "2026-11-20"


def record(folder: Path, *, seconds: int = 10, begin: datetime = BEGIN, gap_after: int | None = None) -> Path:
    """Write it, arrivals 0.2 s behind the quotes."""
    lines: dict[str, list[bytes]] = {"snapshots": [], "ticks": []}
    for second in range(seconds):
        at = begin + timedelta(seconds=second)
        arrived = epoch_ms(at) + 200
        for ticker in ("SPX", "NDX"):
            payload = encode_snapshot(snapshot(ticker, asof=at, seq=second + 1, spot=6400.0 + second))
            lines["snapshots"].append(snapshot_line(arrived, payload))
        event = replace(tick(second), event_ms=arrived + 300, timestamp=at + timedelta(seconds=0.5))
        lines["ticks"].append(tick_line(arrived + 500, f"{arrived + 500}-0", encode_event(event)))
        if second == gap_after:
            lines["snapshots"].append(gap_line(arrived + 1, Gap(of="snapshots", reason="Redis was away")))
    day = begin.date().isoformat()
    with RecordWriter(folder, max_mb=100) as writer:
        writer.write({("snapshots", day): lines["snapshots"], ("ticks", day): lines["ticks"]})
    return folder
