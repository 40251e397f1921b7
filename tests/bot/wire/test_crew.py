"""Who of a bot's processes is alive, and how much of the work is whose."""

import asyncio

import msgspec
import pytest

from bot.wire.crew import ALIVE_S, Crew
from streaming.clock import SystemClock
from streaming.errors import TransientError
from tests.support.clock import ManualClock
from tests.support.waiting import until

TOKEN = "a token"


def crew(redis, name, *, since_s=0.0, token=TOKEN):
    clock = ManualClock()
    clock.advance(since_s)
    return Crew(redis, token, clock, name=name)


async def test_processes_know_one_another_in_the_order_in_which_they_came_and_share_the_work(redis):
    second, first = crew(redis, "b", since_s=1), crew(redis, "a")
    first.report = lambda member: msgspec.structs.replace(member, connected=(0, 2), boards=12)
    assert first.share(5) == 0, "it may not be alone, as far as it knows"
    for one in (first, second, first):
        await one.announce()
    assert [member.name for member in second.members] == ["a", "b"]
    assert (first.share(5), second.share(5)) == (3, 2)
    assert [(member.name, member.connected, member.boards) for member in second.others] == [("a", (0, 2), 12)]


async def test_another_token_is_another_bot(redis):
    one, other = crew(redis, "a"), crew(redis, "b", token="another")
    await one.announce()
    await other.announce()
    assert not one.others and not other.others
    assert "a token" not in str(await redis.keys("*"))


async def test_who_ends_is_gone_at_once_and_who_is_killed_before_its_leases_are(redis):
    one, other = crew(redis, "a"), crew(redis, "b")
    for each in (one, other, one):
        await each.announce()
    assert one.share(2) == 1
    await other.leave()
    await one.announce()
    assert one.share(2) == 2
    await other.announce()
    (key,) = await redis.keys("gexcord:discord:crew:*")
    said = (await redis.hget(key, "b")).split(b" ", 1)[1]
    await redis.hset(key, "b", b"1 " + said)
    await one.announce()
    assert not one.others
    assert ALIVE_S < 4, "a lease of a dead process lasts four seconds"


async def test_what_another_version_says_is_passed_over(redis):
    one = crew(redis, "a")
    await one.announce()
    (key,) = await redis.keys("gexcord:discord:crew:*")
    await redis.hset(key, "x", "99999999999999 {nothing of ours")
    await one.announce()
    assert [member.name for member in one.members] == ["a"]


async def test_all_are_as_many_shards_as_the_first_one_said_until_discord_wants_more(redis):
    one, other = crew(redis, "a"), crew(redis, "b")
    assert await one.agreed_shards(4) == 4
    assert await other.agreed_shards(5) == 4
    await one.announce()
    assert one.shards == 4
    await other.want_shards(5)
    await one.announce()
    assert one.shards == 5


class AwayRedis:
    """Nothing answers."""

    def register_script(self, _text):
        async def ask(**_named):
            raise ConnectionError("away")

        return ask

    def pubsub(self):
        raise ConnectionError("away")


async def test_without_redis_a_process_keeps_to_what_it_knew():
    one = crew(AwayRedis(), "a")
    with pytest.raises(TransientError, match="other processes"):
        await one.announce()
    seen = []
    job = asyncio.create_task(one.run(lambda: seen.append(True)))
    await until(lambda: len(seen) > 2)
    job.cancel()
    await asyncio.wait({job})
    assert one.share(4) == 0


async def test_what_discord_told_one_process_of_a_channel_reaches_the_one_that_writes_there(redis):
    one, other = Crew(redis, TOKEN, SystemClock(), name="a"), Crew(redis, TOKEN, SystemClock(), name="b")
    heard = []
    other.heard_of_place = heard.append
    await other.announce()
    jobs = [asyncio.create_task(each.run(lambda: None)) for each in (other, one)]
    await until(lambda: one.others and other.others)
    one.place_changed(7)
    one.place_changed(8)
    await until(lambda: heard)
    one.place_changed(None)
    await until(lambda: len(heard) > 2)
    assert heard == [7, 8, None]
    for job in jobs:
        job.cancel()
    await asyncio.wait(jobs)
    await one.announce()
    assert not one.others, "who ends says so"
