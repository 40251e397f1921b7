"""One IDENTIFY in five seconds and bucket, whichever process sends it."""

import asyncio

import pytest

from bot.wire.identify_slots import APART_S, IdentifySlots
from tests.support.clock import ManualClock


def slots(redis, *, at_once=1, clock=None):
    return IdentifySlots(redis, "fingerprint", clock or ManualClock(), at_once=at_once)


async def is_waiting(task):
    await asyncio.sleep(0.05)
    return not task.done()


async def test_two_processes_do_not_take_the_same_slot_and_other_buckets_are_free(redis):
    one, other = slots(redis, at_once=2), slots(redis, at_once=2)
    await one.claim(0)
    await other.claim(1)
    waiting = asyncio.create_task(other.claim(2))
    assert await is_waiting(waiting)
    left_ms = await redis.pttl("gexcord:discord:identify:fingerprint:0")
    assert 5000 < left_ms <= APART_S * 1000
    await redis.delete("gexcord:discord:identify:fingerprint:0")
    async with asyncio.timeout(1):
        await waiting


async def test_one_process_dials_its_shards_of_a_bucket_one_after_the_other(redis):
    own = slots(redis)
    async with own.near(0):
        second = asyncio.create_task(own.near(1).__aenter__())
        assert await is_waiting(second)
    async with asyncio.timeout(1):
        await second


async def test_nobody_dials_while_the_slot_is_taken(redis):
    one, other = slots(redis), slots(redis)
    await one.claim(0)
    dialling = asyncio.create_task(other.near(1).__aenter__())
    assert await is_waiting(dialling)
    await redis.flushdb()
    async with asyncio.timeout(1):
        await dialling


class AwayRedis:
    def __getattr__(self, _name):
        async def fail(*_arguments, **_named):
            raise ConnectionError("away")

        return fail


async def test_without_redis_a_process_keeps_its_own_sessions_apart():
    clock = ManualClock()
    own = slots(AwayRedis(), clock=clock)
    await own.claim(0)
    began_s = clock.monotonic()
    await own.claim(1)
    assert clock.monotonic() - began_s == pytest.approx(APART_S)
