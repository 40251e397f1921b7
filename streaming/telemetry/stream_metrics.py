"""What the stream tells about itself, each metric once: hash, log line and scrape are made from `METRICS`. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Final

from streaming.bus.metrics_store import Metric, Value
from streaming.bus.publish.publisher import PublisherStats
from streaming.engine.loop import SnapshotCounters
from streaming.schwab.stream.stream_status import StreamClientStatus
from streaming.status import StreamStatus, named, some_of

_DAY_S: Final = 86_400.0
_MOST_NAMED: Final = 500
"""Symbols of a kind: all of thousands would be a quarter of a megabyte each second, and hold the loop for 20 ms."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One look at everything the streamer counts."""

    at: datetime
    status: StreamStatus
    client: StreamClientStatus | None
    publisher: PublisherStats
    snapshots: SnapshotCounters


Read = Callable[[StreamFacts], Value]


def _client(read: Callable[[StreamClientStatus], Value]) -> Read:
    return lambda it: None if it.client is None else read(it.client)


def _since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (now - at).total_seconds()


def _login_left(it: StreamFacts, unit_s: float) -> float | None:
    ends_at = it.status.login_ends_at
    return None if ends_at is None else max((ends_at - it.at).total_seconds(), 0.0) / unit_s


METRICS: Final[tuple[Metric[StreamFacts], ...]] = (
    Metric("state", "state", lambda it: it.status.state, labels=("state",),
           help="stopped, standby, idle, connecting, login, ready, live, backoff, refused, needs_login, taken_over or "
                "failed."),
    Metric("updated_at", None, lambda it: it.at, "When this hash was written."),
    Metric("started_at", None, lambda it: it.status.started_at,
           "Since when this process streams, through all reconnects."),
    Metric("uptime_s", "uptime_seconds", lambda it: _since(it.status.started_at, it.at), "Seconds since started_at."),
    Metric("last_login_at", None, lambda it: it.status.last_login_at, "When the streamer last accepted our login."),
    Metric("frames_per_s", "frames_per_second", lambda it: it.status.frames_per_s, "Frames from Schwab per second."),
    Metric("service_frames_per_s", "service_frames_per_second", lambda it: it.status.service_frames_per_s,
           "Data blocks per second.", labels=("service",)),
    Metric("symbols", "symbols", lambda it: len(it.status.symbols), "Symbols that are streamed."),
    Metric("symbol_age_s", "symbol_age_seconds", lambda it: dict(islice(it.status.symbols.items(), _MOST_NAMED)),
           "Seconds since its last tick, null before the first; of thousands, the 500 that are wanted most.",
           labels=("symbol",)),
    Metric(None, "chain_age_seconds", lambda it: it.status.chain_age_s,
           "Seconds since the chain of the nearest expiry was loaded.", labels=("ticker",)),
    Metric("expiry_age_s", "expiry_age_seconds", lambda it: it.status.expiry_age_s,
           "Seconds since that expiry's chain was loaded, null before.", labels=("ticker", "expiry")),
    Metric("chains_refused", "chains_refused_total", lambda it: it.status.chains_refused,
           "Answers about chains and expirations that were not believed; what was known before stays."),
    Metric("chain_rows_odd", "chain_rows_odd_total", lambda it: it.status.chain_rows_odd,
           "Rows of chains that could not be read."),
    Metric("chain_refusals", None, lambda it: it.status.chain_refusals, "Why its last answer was not believed."),
    Metric("contracts", None, lambda it: it.status.contracts, "The contract behind it."),
    Metric("missing", None, lambda it: it.status.missing[:_MOST_NAMED],
           "Symbols that sent nothing at all in their session, the first 500."),
    Metric("missing_symbols", "missing_symbols", lambda it: len(it.status.missing), "How many these are in all."),
    Metric("left_out", None, lambda it: {name: keys[:_MOST_NAMED] for name, keys in it.status.left_out.items()},
           "Symbols that the broker refused and that are left out for now, the first 500 of each service."),
    Metric("left_out_symbols", "left_out_symbols", lambda it: sum(map(len, it.status.left_out.values())),
           "How many these are in all, in every service."),
    Metric("delayed", None, lambda it: it.status.delayed[:_MOST_NAMED],
           "Symbols that the broker sends with a delay, the first 500."),
    Metric("last_frame_age_s", None, lambda it: None if it.client is None else _since(it.client.last_frame_at, it.at),
           "Seconds since the last frame."),
    Metric("connects", None, _client(lambda client: client.connects), "Connections made."),
    Metric("reconnects", "reconnects_total", lambda it: it.status.reconnects, "Connections after the first."),
    Metric("gaps", "gaps_total", lambda it: it.status.gaps,
           "How often no data came between two connections; what was sent meanwhile cannot be had again."),
    Metric("gap_s", "gap_seconds_total", lambda it: it.status.gap_s, "How long all of them were together.", digits=1),
    Metric("last_gap_s", None, lambda it: it.status.last_gap_s, "How long the last of them was.", digits=1),
    Metric("last_close", None, lambda it: it.status.last_close, "Why the last connection ended."),
    Metric("retry_in_s", None, lambda it: it.status.retry_in_s, "Seconds until the next attempt.", digits=1),
    Metric("bad_frames", "bad_frames_total", _client(lambda client: client.bad_frames),
           "Frames that could not be read."),
    Metric("tolerant_frames", None, _client(lambda client: client.tolerant_frames),
           "Frames that broke their shape and were read all the same."),
    Metric("dropped_rows", None, _client(lambda client: client.dropped_rows),
           "Rows and elements of frames that could not be read, or whose name cannot be a symbol."),
    Metric("events", "events_total", _client(lambda client: client.events), "Events decoded."),
    Metric("sink_errors", None, _client(lambda client: client.sink_errors),
           "Batches that a consumer inside the program failed on."),
    Metric("buffer", "buffer_events", lambda it: it.status.buffered, "Events not yet acknowledged by Redis."),
    Metric("published", "published_total", lambda it: it.status.published, "Events acknowledged by Redis."),
    Metric("lost", "lost_total", lambda it: it.status.dropped,
           "Events given up: buffer overflow, or left at the end."),
    Metric("fenced", "fenced_total", lambda it: it.publisher.fenced,
           "Events withheld because another process had taken over the stream."),
    Metric("unacknowledged", "unacknowledged_total", lambda it: it.publisher.unacknowledged,
           "Of those published, events of which no copy of Redis is known."),
    Metric("rejected", "rejected_total", lambda it: it.publisher.rejected, "Events Redis refused for good."),
    Metric("flush_errors", "flush_errors_total", lambda it: it.publisher.flush_errors,
           "Batches that failed and were repeated."),
    Metric("snapshots", "snapshots_total", lambda it: it.snapshots.snapshots, "Snapshots stored."),
    Metric("snapshot_store_errors", None, lambda it: it.snapshots.store_errors, "Snapshots that could not be stored."),
    Metric("compute_errors", "compute_errors_total", lambda it: it.snapshots.compute_errors,
           "Computations that failed."),
    Metric("compute_ms", "compute_milliseconds", lambda it: it.snapshots.compute_ms,
           "How long the last computation took, milliseconds."),
    Metric("engine_restarts", "engine_restarts_total", lambda it: it.status.engine_restarts,
           "Engine processes that had to be replaced."),
    Metric("engine_start_ms", None, lambda it: it.status.engine_start_ms,
           "How long the engine process took to be ready.", digits=1),
    Metric("lease_holder", None, lambda it: it.status.lease_holder, "Which process streams."),
    Metric("needs_login", "needs_login", lambda it: it.status.needs_login,
           "Why a person must log in; not there while nobody must.", figure=lambda why: why is not None),
    Metric("refused", None, lambda it: it.status.refused,
           "What the broker does not give although the login is good."),
    Metric("login_ends_at", None, lambda it: it.status.login_ends_at, "When the weekly login ends."),
    Metric("login_days_left", None, lambda it: _login_left(it, _DAY_S), "Days left of it.", digits=2),
    Metric(None, "login_seconds_left", lambda it: _login_left(it, 1.0), "Seconds left of the weekly login."),
    Metric("requests_used", "rest_requests_used", lambda it: it.status.requests_used,
           "REST requests of the last minute."),
    Metric("requests_per_minute", "rest_requests_budget", lambda it: it.status.requests_per_minute,
           "REST requests allowed in a minute."),
    Metric("last_error", None, lambda it: it.status.last_error, "The last error, one sentence."),
)  # fmt: skip


def log_line(facts: StreamFacts) -> str:
    """One line for the log: what an operator would look at first."""
    told: dict[str, Any] = {metric.name: metric.read(facts) for metric in METRICS if metric.name is not None}
    status = facts.status
    ages = [(age, symbol) for symbol, age in status.symbols.items() if age is not None]
    oldest = f", oldest tick {max(ages)[1]} {max(ages)[0]:.1f} s" if ages else ""
    days = told["login_days_left"]
    parts = (
        f"stream {told['state']}: {told['frames_per_s']:.1f} frames/s, {told['symbols']} symbols{oldest}",
        f"{told['reconnects']} reconnects",
        f"published {told['published']}, buffer {told['buffer']}, lost {told['lost']}",
        f"REST {told['requests_used']}/{told['requests_per_minute']}",
        f"login {'of unknown age' if days is None else f'{days:.1f} d left'}",
        f"nothing from {some_of(status.missing)}" if status.missing else None,
        f"left out: {named(status.left_out)}" if status.left_out else None,
        told["refused"] and f"refused by Schwab: {', '.join(told['refused'])}",
        told["needs_login"] and f"needs a login: {told['needs_login']}",
    )
    return "; ".join(filter(None, parts))
