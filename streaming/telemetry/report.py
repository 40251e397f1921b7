"""The stream's facts for the telemetry hash and the log. Pure: records in, mapping or line out."""

import json
from collections.abc import Mapping
from typing import Any

from streaming.bus.metrics_store import MetricValue
from streaming.status import named
from streaming.telemetry.stream_metrics import METRICS, StreamFacts, Value


def metrics_mapping(facts: StreamFacts) -> Mapping[str, MetricValue]:
    """The fields of `metrics:schwab_stream`; what has many parts is a JSON object (specs/schemas/metrics.json)."""
    return {metric.name: field(metric.read(facts), metric.digits) for metric in METRICS if metric.name is not None}


def field(value: Value, digits: int = 3) -> MetricValue:
    """A value as one field of a hash: names joined by commas, a mapping as JSON; what is empty is not there."""
    if isinstance(value, tuple):
        return ",".join(value) or None
    if isinstance(value, Mapping):
        return json.dumps(_rounded(value, digits), separators=(",", ":")) if value else None
    return round(value, digits) if isinstance(value, float) else value


def _rounded(part: object, digits: int) -> object:
    if isinstance(part, Mapping):
        return {name: _rounded(inner, digits) for name, inner in part.items()}
    return round(part, digits) if isinstance(part, float) else part


def log_line(facts: StreamFacts) -> str:
    """One line for the log: what an operator would look at first."""
    told: dict[str, Any] = {metric.name: metric.read(facts) for metric in METRICS if metric.name is not None}
    ages = [(age, symbol) for symbol, age in told["symbol_age_s"].items() if age is not None]
    oldest = f", oldest tick {max(ages)[1]} {max(ages)[0]:.1f} s" if ages else ""
    days = told["login_days_left"]
    parts = (
        f"stream {told['state']}: {told['frames_per_s']:.1f} frames/s, {len(told['symbol_age_s'])} symbols{oldest}",
        f"{told['reconnects']} reconnects",
        f"published {told['published']}, buffer {told['buffer']}, lost {told['lost']}",
        f"REST {told['requests_used']}/{told['requests_per_minute']}",
        f"login {'of unknown age' if days is None else f'{days:.1f} d left'}",
        told["missing"] and f"nothing from {', '.join(told['missing'])}",
        told["left_out"] and f"left out: {named(told['left_out'])}",
        told["refused"] and f"refused by Schwab: {', '.join(told['refused'])}",
        told["needs_login"] and f"needs a login: {told['needs_login']}",
    )
    return "; ".join(filter(None, parts))
