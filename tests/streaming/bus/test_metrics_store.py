"""streaming/bus/metrics_store.py"""

from datetime import UTC, datetime

import pytest

from streaming.bus.metrics_store import write_metrics
from streaming.bus.redis_connection import make_client
from streaming.bus.server.embedded import free_port
from streaming.errors import TransientError


async def test_fields_are_text_that_a_person_can_read(redis):
    at = datetime(2026, 8, 20, 13, 30, tzinfo=UTC)
    await write_metrics(redis, "metrics:test", {"edits": 3, "lag_ms": 1.5, "open": True, "at": at, "state": "live"})
    assert await redis.hgetall("metrics:test") == {
        b"edits": b"3",
        b"lag_ms": b"1.5",
        b"open": b"true",
        b"at": b"2026-08-20T13:30:00+00:00",
        b"state": b"live",
    }


async def test_what_became_unknown_disappears_and_the_rest_stays(redis):
    await write_metrics(redis, "metrics:test", {"edits": 3, "last_error": "x"})
    await write_metrics(redis, "metrics:test", {"last_error": None})
    assert await redis.hgetall("metrics:test") == {b"edits": b"3"}


async def test_writing_nothing_is_fine(redis):
    await write_metrics(redis, "metrics:test", {})
    assert await redis.exists("metrics:test") == 0


async def test_without_redis_it_is_a_transient_error():
    redis = make_client(f"redis://127.0.0.1:{free_port()}/0")
    with pytest.raises(TransientError, match="writing metrics:test"):
        await write_metrics(redis, "metrics:test", {"edits": 3})
    await redis.aclose()
