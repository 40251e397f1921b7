import asyncio

import discord
import pytest

from bot.feed.pacer import Pacer, Rank, Wish
from bot.feed.pacing import Pacing
from bot.sandbox.local_discord import open_sandbox
from bot.wire.answers import look_at_answers
from bot.wire.call_share import LEASE_S, CallShare
from streaming.clock import SystemClock
from streaming.errors import TransientError
from tests.support.clock import ManualClock, StillClock
from tests.support.discord_wire import pointed_at
from tests.support.waiting import until

TOTAL = 46.0
TOKEN = "a token"


def process(redis, clock=None, *, waiting: int = 0) -> tuple[Pacer, CallShare]:
    calls = Pacer(TOTAL)
    for _ in range(waiting):
        calls.ask(Wish(Rank.EDIT))
    return calls, CallShare(redis, TOKEN, calls, clock or ManualClock())


def rate_at(calls: Pacer, clock: ManualClock) -> float:
    """What the next call finds."""
    calls.budget.wait_s(clock.monotonic())
    return calls.rate_per_s


@pytest.fixture
def forget_the_last_second(redis):
    """What somebody gave up a second ago is free by now."""

    async def forget() -> None:
        (key,) = await redis.keys("gexcord:discord:calls:*")
        for name, fields in (await redis.hgetall(key)).items():
            await redis.hset(key, name, b" ".join([*_bytes(fields).split()[:3], b"0", b"0"]))

    return forget


def _bytes(text) -> bytes:
    return text if isinstance(text, bytes) else text.encode()


async def _away(*wanted: float) -> tuple[float, int]:
    raise TransientError(f"Redis is away: nobody is asked for {wanted}.")


async def test_who_is_alone_has_everything(redis):
    calls, share = process(redis)
    await share.renew()
    assert calls.rate_per_s == TOTAL


async def test_nothing_is_given_twice_while_a_second_process_comes(redis, forget_the_last_second):
    (first, one), (second, two) = process(redis, waiting=1), process(redis, waiting=1)
    await one.renew()
    await two.renew()
    assert second.rate_per_s == 0
    await one.renew()
    await two.renew()
    assert (first.rate_per_s, second.rate_per_s) == (TOTAL / 2, 0), "Discord still counts what the first one made"
    await forget_the_last_second()
    await two.renew()
    assert (first.rate_per_s, second.rate_per_s) == (TOTAL / 2, TOTAL / 2)


async def test_who_needs_little_leaves_the_rest_to_the_others(redis, forget_the_last_second):
    (busy, one), (idle, two) = process(redis, waiting=1), process(redis)
    for _ in range(3):
        await two.renew()
        await one.renew()
        await forget_the_last_second()
    assert (busy.rate_per_s, idle.rate_per_s) == (TOTAL - 2, 2)


async def test_who_falls_silent_keeps_half_of_what_it_used_for_the_goodbyes_of_boards_that_nobody_takes(
    redis, forget_the_last_second
):
    (leaver, one), (_, two) = process(redis), process(redis, waiting=1)
    for made in (*[8] * 10, 0, 0, 0):
        leaver.made += made
        await one.renew()
        await two.renew()
        await forget_the_last_second()
    assert 8 < leaver.rate_per_s < 16


async def test_while_redis_is_away_a_process_keeps_its_slice_for_the_lease_and_then_an_equal_part(
    redis, forget_the_last_second, monkeypatch
):
    clock = ManualClock()
    (_, one), (calls, two) = process(redis), process(redis, clock, waiting=1)
    for share in (one, two, one, two):
        await share.renew()
        await forget_the_last_second()
    leased = calls.rate_per_s
    assert leased > TOTAL / 2
    monkeypatch.setattr(two, "_asked", _away)
    await two.renew()
    assert rate_at(calls, clock) == leased
    clock.advance(LEASE_S)
    await two.renew()
    assert rate_at(calls, clock) == TOTAL / 2
    meanwhile = []

    async def hangs(*_wanted: float) -> tuple[float, int]:
        meanwhile.append(rate_at(calls, clock))
        raise TimeoutError

    monkeypatch.setattr(two, "_asked", hangs)
    await two.renew()
    assert meanwhile == [TOTAL / 2], "it does not stop with each question that may hang"


async def test_whose_loop_was_held_for_longer_than_its_slice_lasts_makes_hardly_a_call_before_it_has_asked(redis):
    clock = ManualClock()
    calls, share = process(redis, clock, waiting=1)
    await share.renew()
    clock.advance(LEASE_S - 0.01)
    assert rate_at(calls, clock) == TOTAL
    clock.advance(0.01)
    assert rate_at(calls, clock) == 2
    await share.renew()
    assert rate_at(calls, clock) == TOTAL


async def test_a_slice_counts_from_the_question_and_not_from_an_answer_that_was_read_late(redis, monkeypatch):
    clock = ManualClock()
    calls, share = process(redis, clock, waiting=1)
    asked = share._asked

    async def read_late(*which: float) -> tuple[float, int]:
        found = await asked(*which)
        clock.advance(0.9)
        return found

    monkeypatch.setattr(share, "_asked", read_late)
    await share.renew()
    clock.advance(LEASE_S - 0.9)
    assert rate_at(calls, clock) == 2


async def test_a_question_without_an_answer_may_have_been_answered_with_less_a_second_ago(
    redis, forget_the_last_second, monkeypatch
):
    clock = ManualClock()
    (_, one), (calls, two) = process(redis), process(redis, clock, waiting=1)
    for share in (one, two, one, two):
        await share.renew()
        await forget_the_last_second()
    leased = calls.rate_per_s
    monkeypatch.setattr(two, "_asked", _away)
    await two.renew()
    clock.advance(0.99)
    assert rate_at(calls, clock) == leased
    clock.advance(0.01)
    assert rate_at(calls, clock) == TOTAL / 2


async def test_in_redis_a_slice_lasts_a_second_longer_than_its_process_believes(redis):
    _, share = process(redis)
    await share.renew()
    (key,) = await redis.keys("gexcord:discord:calls:*")
    ((_, fields),) = (await redis.hgetall(key)).items()
    seconds, micros = await redis.time()
    left_ms = float(_bytes(fields).split()[2]) - seconds * 1000 - micros / 1000
    assert left_ms > (LEASE_S + 0.5) * 1000


async def test_who_ends_leaves_its_slice_to_the_others_a_second_later(redis, forget_the_last_second):
    (leaver, one), (other, two) = process(redis, StillClock(), waiting=1), process(redis, waiting=1)
    await one.renew()
    await two.renew()
    job = asyncio.create_task(one.run(lambda: None))
    await one._clock.asleep.wait()
    await forget_the_last_second()
    await two.renew()
    job.cancel()
    await asyncio.wait({job})
    assert rate_at(leaver, one._clock) == 2
    await two.renew()
    assert other.rate_per_s == TOTAL / 2, "Discord still counts what the leaver made"
    await forget_the_last_second()
    await two.renew()
    assert other.rate_per_s == TOTAL


class Busy:
    """A process that edits its channels as fast as it may, on the local Discord."""

    def __init__(self, redis, channels):
        self.channels = channels
        self.made = 0
        self._clock = SystemClock()
        self._pacing = Pacing(self._clock)
        self.share = CallShare(redis, TOKEN, self._pacing.pacer, self._clock)
        self.client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30.0)
        look_at_answers(self.client.http, self._pacing)

    async def run(self, token):
        await self.client.login(token)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.share.run(lambda: None))
            for channel_id in self.channels:
                group.create_task(self._write(channel_id))

    async def _write(self, channel_id):
        message = await self.client.get_partial_messageable(channel_id).send("0")
        while True:
            self.made += 1
            await message.edit(content=str(self.made))


async def test_two_processes_on_the_wire_keep_below_discords_fifty_a_second_and_use_them(redis, forget_the_last_second):
    names = [f"board-{number}" for number in range(60)]
    async with open_sandbox(channels=names) as sandbox, pointed_at(sandbox):
        channels = list(sandbox.channel_ids.values())
        busy = [Busy(redis, channels[first::2]) for first in range(2)]
        for one in (*busy, *busy):
            await one.share.renew()
            await forget_the_last_second()
        tasks = [asyncio.create_task(one.run(sandbox.token)) for one in busy]
        await until(lambda: all(one.made > 45 for one in busy), timeout_s=10)
        for one, task in zip(busy, tasks, strict=True):
            task.cancel()
            await asyncio.wait({task})
            await one.client.close()
        assert sandbox.traffic.statuses[429] == 0
