"""One minute of requests, shared by processes through a real Redis."""

import asyncio

import pytest

from streaming.bus import keys
from streaming.bus.redis_connection import make_client
from streaming.bus.server.embedded import free_port
from streaming.bus.shared_minute import SharedMinute
from streaming.clock import SystemClock
from streaming.errors import TransientError
from streaming.schwab.rest.budget import RequestBudget


async def test_places_are_granted_until_the_minute_is_full(redis):
    minute = SharedMinute(redis)
    assert [await minute.claim(3) for _ in range(3)] == [(0.0, 1), (0.0, 2), (0.0, 3)]
    wait_s, used = await minute.claim(3)
    assert 60 < wait_s <= 60.5
    assert used == 3


async def test_two_budgets_on_one_redis_stay_within_one(redis, redis_url):
    other = make_client(redis_url)
    try:
        budgets = [RequestBudget(10, SystemClock(), shared=SharedMinute(client)) for client in (redis, other)]
        takers = [asyncio.create_task(budget.take()) for budget in budgets for _ in range(8)]
        done, waiting = await asyncio.wait(takers, timeout=0.5)
        for taker in waiting:
            taker.cancel()
        await asyncio.wait(waiting)
    finally:
        await other.aclose()
    assert (len(done), len(waiting)) == (10, 6)
    assert max(budget.used for budget in budgets) == 10


async def test_a_place_is_free_again_when_its_minute_is_over(redis):
    minute = SharedMinute(redis)
    seconds, _ = await redis.time()
    await redis.rpush(keys.REQUESTS, (seconds - 61) * 1000, (seconds - 59) * 1000)
    assert await minute.claim(2) == (0.0, 2)
    wait_s, used = await minute.claim(2)
    assert 0 < wait_s < 2
    assert used == 2


async def test_the_list_is_gone_a_minute_after_the_last_request(redis):
    await SharedMinute(redis).claim(2)
    assert 59_500 < await redis.pttl(keys.REQUESTS) <= 60_500


async def test_one_process_that_was_told_to_slow_down_slows_all(redis):
    await SharedMinute(redis).pause(30)
    await SharedMinute(redis).pause(10)
    wait_s, used = await SharedMinute(redis).claim(100)
    assert 29 < wait_s <= 30
    assert used == 0


async def test_a_redis_that_is_away_is_a_passing_error():
    client = make_client(f"redis://127.0.0.1:{free_port()}")
    try:
        with pytest.raises(TransientError, match="request budget"):
            await SharedMinute(client).claim(5)
    finally:
        await client.aclose()
