"""The stream's facts in the text format that Prometheus reads. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from streaming.telemetry.report import StreamFacts

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Labels = tuple[tuple[str, str], ...]
_NO_LABELS: Final[Labels] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with its samples; `kind` is `gauge` or `counter`."""

    name: str
    kind: str
    help: str
    samples: tuple[tuple[Labels, float], ...]


def exposition(facts: StreamFacts) -> str:
    """The whole answer to a scrape; a figure that is not known has no sample."""
    return "".join(line for metric in _metrics(facts) if metric.samples for line in _lines(metric))


def _lines(metric: Metric) -> Iterator[str]:
    name = f"gexcord_stream_{metric.name}"
    yield f"# HELP {name} {metric.help}\n# TYPE {name} {metric.kind}\n"
    for labels, value in metric.samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        yield f"{name}{{{inside}}} {value:.15g}\n" if inside else f"{name} {value:.15g}\n"


def _metrics(facts: StreamFacts) -> Iterable[Metric]:
    status, client, stats, counters = facts.status, facts.client, facts.publisher, facts.snapshots
    ends_at, started_at = status.login_ends_at, status.started_at
    return (
        Metric("state", "gauge", "1 for the state the stream is in.", ((_label("state", status.state), 1.0),)),
        _gauge("uptime_seconds", "Since this process streams.", None if started_at is None else _s(facts, started_at)),
        _gauge("frames_per_second", "Frames of all services.", status.frames_per_s),
        Metric("service_frames_per_second", "gauge", "Data blocks.", _each("service", status.service_frames_per_s)),
        Metric("symbol_age_seconds", "gauge", "Since the last tick.", _each("symbol", status.symbols)),
        Metric("chain_age_seconds", "gauge", "Of the nearest expiry.", _each("ticker", status.chain_age_s)),
        Metric("expiry_age_seconds", "gauge", "Of each expiry's chain.", _expiries(status.expiry_age_s)),
        _counter("chains_refused_total", "Answers about chains that were not believed.", status.chains_refused),
        _counter("chain_rows_odd_total", "Rows of chains that could not be read.", status.chain_rows_odd),
        _gauge("missing_symbols", "Symbols that never sent anything in session.", len(status.missing)),
        _gauge(
            "left_out_symbols", "Symbols that were refused, over all services.", sum(map(len, status.left_out.values()))
        ),
        _counter("reconnects_total", "Connections after the first.", status.reconnects),
        _counter("events_total", "Events decoded.", None if client is None else client.events),
        _counter("bad_frames_total", "Frames that could not be read.", None if client is None else client.bad_frames),
        _gauge("buffer_events", "Events that wait for Redis.", stats.buffered),
        _counter("published_total", "Events that Redis took.", stats.published),
        _counter("lost_total", "Events given up.", stats.dropped),
        _counter("fenced_total", "Events withheld because another process had taken over.", stats.fenced),
        _counter("rejected_total", "Events that Redis refused for good.", stats.rejected),
        _counter("flush_errors_total", "Batches that failed and were repeated.", stats.flush_errors),
        _counter("snapshots_total", "Snapshots stored.", counters.snapshots),
        _counter("compute_errors_total", "Computations that failed.", counters.compute_errors),
        _gauge("compute_milliseconds", "The last computation.", counters.compute_ms),
        _counter("engine_restarts_total", "Engine processes that had to be replaced.", status.engine_restarts),
        _gauge("needs_login", "1 while a person must log in.", float(status.needs_login is not None)),
        _gauge("login_seconds_left", "Of the weekly login.", None if ends_at is None else max(-_s(facts, ends_at), 0)),
        _gauge("rest_requests_used", "Requests of the last minute.", status.requests_used),
        _gauge("rest_requests_budget", "Requests allowed in a minute.", status.requests_per_minute),
    )


def _s(facts: StreamFacts, at: datetime) -> float:
    return (facts.at - at).total_seconds()


def _gauge(name: str, text: str, value: float | None) -> Metric:
    return Metric(name, "gauge", text, () if value is None else ((_NO_LABELS, float(value)),))


def _counter(name: str, text: str, value: int | None) -> Metric:
    return Metric(name, "counter", text, () if value is None else ((_NO_LABELS, float(value)),))


def _each(label: str, values: Mapping[str, float | None]) -> tuple[tuple[Labels, float], ...]:
    return tuple((_label(label, key), float(value)) for key, value in values.items() if value is not None)


def _expiries(ages: Mapping[str, Mapping[str, float | None]]) -> tuple[tuple[Labels, float], ...]:
    return tuple(
        ((("ticker", ticker), ("expiry", expiry)), float(age))
        for ticker, expiries in ages.items()
        for expiry, age in expiries.items()
        if age is not None
    )


def _label(name: str, text: str) -> Labels:
    return ((name, text),)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
