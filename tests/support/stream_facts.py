"""Facts of a stream that lives and one that does not, for what is told of them."""

from datetime import timedelta

from streaming.bus.publish.publisher import PublisherStats
from streaming.engine.loop import SnapshotCounters
from streaming.status import StreamStatus
from streaming.telemetry.stream_metrics import StreamFacts
from tests.support.clock import ManualClock

NOW = ManualClock().now()
STATS = PublisherStats(
    connected=True, buffered=3, buffered_bytes=9, published=120, dropped=2, dropped_ticks=2, dropped_books=0,
    fenced=0, unacknowledged=0, rejected=0, resent=0, flush_errors=1, reconnects=0,
    last_error=None,
)  # fmt: skip
LIVE = StreamStatus(
    state="live",
    started_at=NOW - timedelta(hours=2),
    last_login_at=NOW - timedelta(minutes=5),
    symbols={"SPY": 0.25, "/MNQ": 4.5, 'A"B': None},
    missing=("SPYY",),
    left_out={"LEVELONE_EQUITIES": ("ZZ.Z",), "NYSE_BOOK": ("SPY", "F")},
    contracts={"/MNQ": "/MNQZ26"},
    frames_per_s=2.5,
    service_frames_per_s={"NYSE_BOOK": 1.0},
    reconnects=3,
    login_ends_at=NOW + timedelta(hours=36),
    requests_used=12,
    requests_per_minute=100,
    needs_login="The login is over.",
    expiry_age_s={"SPX": {"2026-08-20": 2.5, "2026-08-21": None}},
    chain_refusals={"SPX 2026-08-20": "It lists only calls."},
    chains_refused=4,
    chain_rows_odd=2,
    engine_restarts=1,
    engine_start_ms=212.25,
    buffered=3,
    published=120,
    dropped=2,
)


def facts(status: StreamStatus) -> StreamFacts:
    """One look, with a publisher that has lost two events."""
    return StreamFacts(at=NOW, status=status, client=None, publisher=STATS, snapshots=SnapshotCounters(snapshots=7))
