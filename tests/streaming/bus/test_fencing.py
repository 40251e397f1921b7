"""What a streamer that was paused still holds when it wakes up beside a new one."""

import asyncio

import pytest

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.publish.publisher import TradingEventPublisher
from tests.support.events import tick

STREAM_LEASE = keys.STREAM_LEASE


class Uptime:
    """A clock that jumps when the process is paused."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def idle(publisher: TradingEventPublisher) -> None:
    async with asyncio.timeout(5):
        while publisher.stats.buffered:
            await asyncio.sleep(0.01)


async def taken_over(redis, *, ttl_s=4.0):
    """Two streamers; the lease of the first ran out while it was paused, and the second took it."""
    uptime = Uptime()
    old, new = (Lease(redis, STREAM_LEASE, name, ttl_s=ttl_s, uptime=uptime) for name in ("old", "new"))
    assert await old.acquire()
    await redis.delete(STREAM_LEASE)
    assert await new.acquire()
    return old, new, uptime


@pytest.mark.parametrize("paused_s", [0.0, 12.0])
async def test_events_of_before_a_pause_are_withheld_once_another_streams(redis, paused_s):
    old, _, uptime = await taken_over(redis)
    async with TradingEventPublisher(redis) as publisher:
        with publisher.under(old):
            uptime.now_s += paused_s  # by 0 s the old one does not even notice: the server refuses it
            publisher.publish([tick(seq=number) for number in range(1, 41)])
            await idle(publisher)
            assert (publisher.stats.published, publisher.stats.fenced) == (0, 40)
            assert publisher.stats.dropped == 0
    assert await redis.xlen(keys.TICKS_STREAM) == 0


async def test_the_new_holder_publishes_and_one_without_a_lease_is_not_fenced(redis):
    _, new, _ = await taken_over(redis)
    async with TradingEventPublisher(redis) as publisher:
        with publisher.under(new):
            publisher.publish([tick(seq=1)])
            await idle(publisher)
        publisher.publish([tick(seq=2)])
        await idle(publisher)
        assert (publisher.stats.published, publisher.stats.fenced) == (2, 0)
    assert await redis.xlen(keys.TICKS_STREAM) == 2


async def test_what_waits_when_the_lease_is_lost_is_not_published_afterwards(redis):
    old, _, _ = await taken_over(redis)
    async with TradingEventPublisher(redis) as publisher:
        with publisher.under(old):
            publisher.publish([tick(seq=1)])
            assert not await old.renew()
        await idle(publisher)
        assert (publisher.stats.published, publisher.stats.fenced) == (0, 1)


async def test_plain_commands_ask_the_lease_too(redis):
    old, _, uptime = await taken_over(redis)
    async with TradingEventPublisher(redis, streams_mb=None) as publisher:
        with publisher.under(old):
            uptime.now_s += 12.0
            publisher.publish([tick(seq=1)])
            await idle(publisher)
            assert (publisher.stats.published, publisher.stats.fenced) == (0, 1)
