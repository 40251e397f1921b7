"""The connections of one process among several of its bot, and when they are missed."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest

from bot.sandbox.local_discord import open_sandbox
from bot.wire.crew import Crew
from bot.wire.shards import AWAY_S, Shards
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError, UnavailableError
from tests.support.clock import ManualClock
from tests.support.discord_wire import pointed_at
from tests.support.host import Host, make_settings
from tests.support.wire import until


class Watched:
    """Connections on a clock of a test's own, and what its watch says."""

    def __init__(self):
        self.clock = ManualClock()
        self.gateway = Shards(None, self.clock, random.Random(1), None, None)
        self.told = []
        self.marks = []

    def tell(self, sentence):
        self.told.append(sentence)

    async def looks(self, count):
        """Let the watch look so many times, a second apart."""
        seen = []
        done = asyncio.Event()

        def progress():
            seen.append(True)
            if len(seen) == count:
                done.set()

        task = asyncio.create_task(self.gateway.watch(progress, mark=self.marks.append, tell=self.tell))
        await done.wait()
        task.cancel()
        await asyncio.wait({task})


async def test_a_gateway_that_is_away_for_half_a_minute_is_counted_and_told_once_and_once_when_it_is_back():
    watched = Watched()
    gateway = watched.gateway
    watching = asyncio.create_task(gateway.watch(lambda: None, mark=watched.marks.append, tell=watched.tell))
    await until(lambda: watched.clock.monotonic() > 1000 + AWAY_S + 60)
    assert gateway.aways == 1
    assert len(watched.told) == 1 and "away for 30 s" in watched.told[0]
    assert watched.marks[-1] is False
    gateway.up(0)
    await until(lambda: len(watched.told) == 2)
    assert watched.told[1].startswith("Discord's gateway is back after ")
    assert watched.marks[-1] is True
    watching.cancel()


async def test_a_gateway_that_is_back_within_half_a_minute_is_not_missed():
    watched = Watched()
    await watched.looks(20)
    watched.gateway.up(0)
    await watched.looks(60)
    assert watched.told == []
    assert watched.gateway.aways == 0


@asynccontextmanager
async def sharded(redis, *, shards, at_once=16):
    """A local Discord that wants several shards, and a way to start bots of its token beside one another."""
    async with open_sandbox() as sandbox, pointed_at(sandbox):
        sandbox.gateway.trouble.shards, sandbox.gateway.trouble.max_concurrency = shards, at_once
        tasks = []

        async def start(name):
            host = Host(make_settings())
            host.crew = crew = Crew(redis, sandbox.token, SystemClock(), name=name)
            await crew.announce()
            bot = host.make_bot()
            bot._connection.guild_ready_timeout = 0.05
            await bot.__aenter__()
            tasks.append((bot, asyncio.create_task(bot.run_until_closed(sandbox.token))))
            return crew, bot, tasks[-1][1]

        try:
            yield sandbox, start
        finally:
            for bot, task in tasks:
                task.cancel()
                await asyncio.wait({task})
                await bot.close()


async def test_one_process_keeps_every_shard_and_gives_half_of_them_to_the_next(redis):
    async with sharded(redis, shards=4) as (sandbox, start):
        crew, bot, _ = await start("a")
        await until(lambda: bot.gateway.connected == [0, 1, 2, 3])
        await bot.wait_until_ready()
        assert bot.gateway.is_up and bot.shard_count == 4 and len(bot.guilds) == 1
        assert sorted(session.shard for session in sandbox.gateway.sessions) == [(n, 4) for n in range(4)]
        _, other, _ = await start("b")
        await crew.announce()
        bot.gateway._portions.trim(0.0)
        bot.gateway._portions.trim(100.0)
        await until(lambda: bot.gateway.own == [0, 1])
        await redis.delete(*[key async for key in redis.scan_iter("gexcord:discord:identify:*")])
        sandbox.gateway._identified_s.clear()
        await until(lambda: other.gateway.connected == [2, 3])
        assert (len(bot.guilds), len(other.guilds)) == (1, 0), "the server is the first shard's"
        assert (bot.gateway.hears_of(sandbox.guild_id), other.gateway.hears_of(sandbox.guild_id)) == (True, False)
        assert sandbox.gateway.too_soon == 0


async def test_a_process_that_has_no_part_stands_by_and_is_well(redis):
    async with sharded(redis, shards=2) as (_, start):
        await start("a")
        crew, bot, running = await start("b")
        crew.members = ()
        await bot.gateway.planned.wait()
        await asyncio.sleep(0.05)
        assert bot.gateway.is_up and not bot.gateway.own and not running.done()


async def test_every_process_starts_again_when_discord_wants_more_shards(redis):
    async with sharded(redis, shards=2) as (sandbox, start):
        crew, bot, running = await start("a")
        await until(lambda: bot.gateway.connected == [0, 1])
        sandbox.gateway.trouble.shards = 3
        sandbox.gateway.trouble.refusals.append(4011)
        sandbox.gateway.invalidate(resumable=False)
        sandbox.gateway._identified_s.clear()
        await redis.delete(*[key async for key in redis.scan_iter("gexcord:discord:identify:*")])
        with pytest.raises(UnavailableError, match="number of shards"):
            await asyncio.wait_for(running, 8)
        assert await crew.agreed_shards(2) == 3


async def test_another_process_that_found_out_first_makes_this_one_start_again_too(redis):
    async with sharded(redis, shards=2) as (_, start):
        crew, bot, running = await start("a")
        await until(lambda: bot.gateway.connected == [0, 1])
        await crew.want_shards(3)
        await crew.announce()
        watching = asyncio.create_task(bot.gateway.watch(lambda: None, mark=lambda _: None, tell=print))
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(running, 5)
        watching.cancel()


async def test_a_bot_that_discord_takes_as_one_is_one_and_a_refusal_for_that_is_a_sentence(redis):
    async with sharded(redis, shards=1) as (sandbox, start):
        sandbox.gateway.trouble.refusals.append(4011)
        _, bot, running = await start("a")
        with pytest.raises(ConfigurationError, match="more shards"):
            await asyncio.wait_for(running, 5)
        assert bot.gateway.count == 1
