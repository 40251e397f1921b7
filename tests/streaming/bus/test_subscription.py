"""streaming/bus/subscription.py"""

import asyncio
import random
import signal
from contextlib import aclosing

from streaming.bus.redis_connection import make_client
from streaming.bus.subscription import messages
from tests.support.redis_server import plain_redis


async def test_a_server_that_goes_silent_is_noticed_and_left(tmp_path):
    with plain_redis(tmp_path) as (url, process):
        redis, other = make_client(url), make_client(url)
        subscribed = []

        async def note():
            subscribed.append(1)

        async with aclosing(messages(redis, "c", on_subscribed=note, rng=random.Random(1), probe_s=0.1)) as payloads:
            first = asyncio.create_task(anext(payloads))
            async with asyncio.timeout(10):
                while not subscribed:
                    await asyncio.sleep(0.01)
                process.send_signal(signal.SIGSTOP)
                await asyncio.sleep(0.5)
                process.send_signal(signal.SIGCONT)
                while len(subscribed) < 2:
                    await asyncio.sleep(0.01)
                await other.publish("c", "after")
                assert await first == b"after"
        await redis.aclose()
        await other.aclose()


async def test_a_quiet_channel_is_not_an_outage(redis):
    subscribed = []

    async def note():
        subscribed.append(1)

    async with aclosing(messages(redis, "c", on_subscribed=note, probe_s=0.3)) as payloads:
        first = asyncio.create_task(anext(payloads))
        await asyncio.sleep(1.5)
        await redis.publish("c", "late")
        assert await first == b"late"
    assert subscribed == [1]
