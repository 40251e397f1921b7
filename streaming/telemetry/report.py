"""The stream's facts for the telemetry hash and the log. Pure: records in, mapping or line out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from streaming.bus.metrics import MetricValue
from streaming.bus.publish.publisher import PublisherStats
from streaming.engine.loop import SnapshotCounters
from streaming.schwab.stream.status import StreamClientStatus
from streaming.status import StreamStatus, named

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One look at everything the streamer counts."""

    at: datetime
    status: StreamStatus
    client: StreamClientStatus | None
    publisher: PublisherStats
    snapshots: SnapshotCounters


def metrics_mapping(facts: StreamFacts) -> Mapping[str, MetricValue]:
    """The fields of `metrics:schwab_stream`; what has many parts is a JSON object (specs/schemas/metrics.json)."""
    status, client, stats, counters = facts.status, facts.client, facts.publisher, facts.snapshots
    return {
        "state": status.state,
        "updated_at": facts.at,
        "started_at": status.started_at,
        "uptime_s": _age_s(status.started_at, facts.at),
        "last_login_at": status.last_login_at,
        "frames_per_s": round(status.frames_per_s, 3),
        "service_frames_per_s": _json({name: round(rate, 3) for name, rate in status.service_frames_per_s.items()}),
        "symbol_age_s": _json(_rounded(status.symbols)),
        "expiry_age_s": _json({name: _rounded(ages) for name, ages in status.expiry_age_s.items()}),
        "chains_refused": status.chains_refused,
        "chain_rows_odd": status.chain_rows_odd,
        "chain_refusals": _json(status.chain_refusals),
        "contracts": _json(status.contracts),
        "missing": ",".join(status.missing) or None,
        "left_out": _json(status.left_out),
        "delayed": ",".join(status.delayed) or None,
        "last_frame_age_s": _age_s(None if client is None else client.last_frame_at, facts.at),
        "connects": None if client is None else client.connects,
        "reconnects": status.reconnects,
        "last_close": status.last_close,
        "retry_in_s": None if status.retry_in_s is None else round(status.retry_in_s, 1),
        "bad_frames": None if client is None else client.bad_frames,
        "tolerant_frames": None if client is None else client.tolerant_frames,
        "dropped_rows": None if client is None else client.dropped_rows,
        "events": None if client is None else client.events,
        "sink_errors": None if client is None else client.sink_errors,
        "buffer": stats.buffered,
        "published": stats.published,
        "lost": stats.dropped,
        "fenced": stats.fenced,
        "rejected": stats.rejected,
        "flush_errors": stats.flush_errors,
        "snapshots": counters.snapshots,
        "snapshot_store_errors": counters.store_errors,
        "compute_errors": counters.compute_errors,
        "compute_ms": None if counters.compute_ms is None else round(counters.compute_ms, 3),
        "engine_restarts": status.engine_restarts,
        "engine_start_ms": None if status.engine_start_ms is None else round(status.engine_start_ms, 1),
        "lease_holder": status.lease_holder,
        "needs_login": status.needs_login,
        "refused": _json(status.refused),
        "login_ends_at": status.login_ends_at,
        "login_days_left": _days_left(status.login_ends_at, facts.at),
        "requests_used": status.requests_used,
        "requests_per_minute": status.requests_per_minute,
        "last_error": status.last_error,
    }


def log_line(facts: StreamFacts) -> str:
    """One line for the log: what an operator would look at first."""
    status, stats = facts.status, facts.publisher
    ages = [(age, symbol) for symbol, age in status.symbols.items() if age is not None]
    oldest = f", oldest tick {max(ages)[1]} {max(ages)[0]:.1f} s" if ages else ""
    days = _days_left(status.login_ends_at, facts.at)
    parts = [
        f"stream {status.state}: {status.frames_per_s:.1f} frames/s, {len(status.symbols)} symbols{oldest}",
        f"{status.reconnects} reconnects",
        f"published {stats.published}, buffer {stats.buffered}, lost {stats.dropped}",
        f"REST {status.requests_used}/{status.requests_per_minute}",
        f"login {'of unknown age' if days is None else f'{days:.1f} d left'}",
    ]
    if status.missing:
        parts.append(f"nothing from {', '.join(status.missing)}")
    if status.left_out:
        parts.append(f"left out: {named(status.left_out)}")
    if status.refused:
        parts.append(f"refused by Schwab: {', '.join(status.refused)}")
    if status.needs_login is not None:
        parts.append(f"needs a login: {status.needs_login}")
    return "; ".join(parts)


def _rounded(ages: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if age is None else round(age, 3) for name, age in ages.items()}


def _age_s(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds(), 3)


def _days_left(ends_at: datetime | None, now: datetime) -> float | None:
    return None if ends_at is None else round(max((ends_at - now).total_seconds(), 0.0) / _DAY_S, 2)


def _json(mapping: Mapping[str, object]) -> str | None:
    return json.dumps(dict(mapping), separators=(",", ":")) if mapping else None
