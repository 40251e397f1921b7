"""The sources' facts for the telemetry hash, and the streamer as one of the sources. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from streaming.bus.metrics import MetricValue
from streaming.engine.loop import SnapshotCounters
from streaming.status import SourceState, SourceStatus, StreamStatus
from streaming.telemetry.report import field

_STATES: Final[Mapping[str, SourceState]] = {
    "stopped": "stopped",
    "standby": "standby",
    "backoff": "failing",
    "taken_over": "failing",
    "needs_login": "needs_action",
    "failed": "needs_action",
}


def schwab_status(
    tickers: Iterable[str], status: StreamStatus, counters: SnapshotCounters, chain_errors: int
) -> SourceStatus:
    """What the streamer is as a source of snapshots."""
    producing: SourceState = "live" if counters.snapshots else "waiting"
    return SourceStatus(
        name="schwab",
        tickers=tuple(tickers),
        state=_STATES.get(status.state, producing),
        last_snapshot_at=counters.last_snapshot_at,
        snapshots=counters.snapshots,
        rejected=status.chains_refused,
        errors=chain_errors - status.chains_refused + counters.compute_errors + counters.store_errors,
        last_error=status.needs_login or status.last_error,
    )


def source_metrics(statuses: Iterable[SourceStatus], at: datetime) -> Mapping[str, MetricValue]:
    """The fields of `metrics:gex_sources`: each source's under its name (specs/schemas/metrics.json)."""
    fields: dict[str, MetricValue] = {"updated_at": at}
    for status in statuses:
        own = {name: getattr(status, name) for name in SourceStatus.__dataclass_fields__ if name != "name"}
        fields |= {f"{status.name}:{name}": field(value) for name, value in own.items()}
    return fields
