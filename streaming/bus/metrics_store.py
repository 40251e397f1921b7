"""Telemetry as Redis hashes that any dashboard can read: each metric a row of a table, read off somebody's facts."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from redis.asyncio import Redis

from streaming.bus.redis_connection import answering
from streaming.clock import Clock
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
_EVERY_S: Final = 1.0
MetricValue = str | int | float | bool | datetime | None
Value = MetricValue | tuple[str, ...] | Mapping[str, object]
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Metric(Generic[F]):
    """One thing told; None is unknown. Units stand in the names: `_s`, `_ms`, `_per_s`, `_at`, else a count or text."""

    name: str | None
    """Its field in the hash (specs/schemas/metrics.json); None: only scraped."""
    scraped: str | None
    """Its name for Prometheus behind the table's prefix: a counter if it ends in `_total`, else a gauge."""
    read: Callable[[F], Value]
    help: str
    labels: tuple[str, ...] = ()
    """What the keys of a mapping are, level by level; of a text, what it is the value of."""
    figure: Callable[[Any], float] | None = None
    """What Prometheus gets of a value that is no number."""
    digits: int = 3


def kept(name: str, words: str, scraped: str | None = None, *, labels: tuple[str, ...] = ()) -> Metric[Any]:
    """A metric that its facts keep under the same name."""
    return Metric(name, scraped, attrgetter(name), words, labels=labels)


def hash_fields(metrics: Iterable[Metric[F]], facts: F, *, under: str = "") -> dict[str, MetricValue]:
    """What a table says of these facts, a field each, `under` before its name.

    Names are joined by commas, what has many parts is a JSON object, what is empty is unknown.
    """
    named = ((metric.name, metric) for metric in metrics if metric.name is not None)
    return {f"{under}{name}": _field(metric.read(facts), metric.digits) for name, metric in named}


def _field(value: Value, digits: int) -> MetricValue:
    if isinstance(value, tuple):
        return ",".join(value) or None
    if isinstance(value, Mapping):
        return json.dumps(_rounded(value, digits), separators=(",", ":")) if value else None
    return round(value, digits) if isinstance(value, float) else value


def _rounded(part: object, digits: int) -> object:
    if isinstance(part, Mapping):
        return {name: _rounded(inner, digits) for name, inner in part.items()}
    return round(part, digits) if isinstance(part, float) else part


async def write_metrics(redis: Redis, key: str, mapping: Mapping[str, MetricValue]) -> None:
    """Write fields of one hash in one round trip; a field that is None is removed, never 0.

    Booleans become `true` and `false`, instants ISO 8601. TransientError when Redis does not answer.
    """
    known: dict[Any, Any] = {name: _text(value) for name, value in mapping.items() if value is not None}
    unknown = [name for name, value in mapping.items() if value is None]
    async with answering(f"writing {key}"), redis.pipeline(transaction=False) as pipeline:
        if known:
            pipeline.hset(key, mapping=known)
        if unknown:
            pipeline.hdel(key, *unknown)
        await pipeline.execute()


async def keep_current(
    redis: Redis,
    key: str,
    look: Callable[[], Mapping[str, MetricValue]],
    clock: Clock,
    *,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Write what `look` gives into a hash every second until cancelled; while Redis is away nothing is lost."""
    while True:
        try:
            await write_metrics(redis, key, look())
            progress()
        except TransientError as error:
            _LOG.debug("%s was not written: %s", key, error)
        await clock.sleep(_EVERY_S)


def _text(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
