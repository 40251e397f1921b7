"""Telemetry as Redis hashes that any dashboard can read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from redis.asyncio import Redis

from streaming.bus.redis_connection import answering

MetricValue = str | int | float | bool | datetime | None


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


def _text(value: str | float | bool | datetime) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else str(value)
