"""streaming/bus/last_tick.py"""

from datetime import timedelta

import pytest

from streaming.bus import keys
from streaming.bus.last_tick import last_tick_at
from streaming.bus.redis_connection import make_client
from streaming.bus.server.embedded import free_port
from streaming.clock import epoch_ms, instant_of
from tests.support.clock import ManualClock


async def _tick(redis, at):
    await redis.xadd(keys.TICKS_STREAM, {"data": b'{"symbol": "SPY", "recv_ms": %d}' % epoch_ms(at)})


async def test_it_is_when_the_newest_tick_was_received(redis):
    clock = ManualClock()
    assert await last_tick_at(redis, clock) is None
    for seconds in (90, 7):
        await _tick(redis, clock.now() - timedelta(seconds=seconds))
    assert await last_tick_at(redis, clock) == instant_of(epoch_ms(clock.now())) - timedelta(seconds=7)


@pytest.mark.parametrize("fields", [{"data": "no JSON"}, {"data": "{}"}, {"other": "x"}])
async def test_what_somebody_else_wrote_there_is_no_tick(redis, fields):
    await redis.xadd(keys.TICKS_STREAM, fields)
    assert await last_tick_at(redis, ManualClock()) is None


async def test_a_day_ago_is_a_pause_and_a_redis_that_is_away_says_nothing(redis):
    clock = ManualClock()
    await _tick(redis, clock.now() - timedelta(hours=24))
    assert await last_tick_at(redis, clock) is None
    async with make_client(f"redis://127.0.0.1:{free_port()}") as away:
        assert await last_tick_at(away, clock) is None
