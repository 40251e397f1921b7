"""streaming/commands/cli.py"""

import asyncio
import os
import signal
from contextlib import aclosing

from streaming.bus.redis_connection import open_redis
from streaming.commands.cli import tail
from tests.support.redis_server import embedded_redis


async def _publish_until_heard(redis, text: str, heard: asyncio.Task) -> None:
    async with asyncio.timeout(10):
        while not heard.done():
            await redis.publish("c", text)
            await asyncio.sleep(0.01)


async def _first(lines, wanted: bytes) -> None:
    async for line in lines:
        if line == wanted:
            return


async def test_messages_come_as_they_are_and_the_count_ends_it(redis):
    async def read():
        return [payload async for payload in tail(redis, "c", count=2)]

    reading = asyncio.create_task(read())
    await _publish_until_heard(redis, "one", reading)
    assert await reading == [b"one", b"one"]


async def test_a_count_of_zero_reads_nothing(redis):
    assert [line async for line in tail(redis, "c", count=0)] == []


async def test_it_goes_on_after_a_restart_of_redis():
    async with embedded_redis() as server, open_redis(server.url) as redis, aclosing(tail(redis, "c")) as lines:
        first = asyncio.create_task(anext(lines))
        await _publish_until_heard(redis, "before", first)
        pid = server.pid
        os.kill(pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while server.pid == pid:
                await asyncio.sleep(0.01)
        second = asyncio.create_task(_first(lines, b"after"))
        await _publish_until_heard(redis, "after", second)
        await second
