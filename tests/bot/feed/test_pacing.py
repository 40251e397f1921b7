import asyncio

import discord
import pytest
from discord.http import Route

from bot.feed.pacer import Pacer, Rank
from bot.feed.pacing import Pacing, ranked
from bot.sandbox.local_discord import open_sandbox
from bot.wire.answers import look_at_answers
from streaming.clock import SystemClock
from tests.support.clock import ManualClock, StillClock
from tests.support.discord_wire import pointed_at

PATH = "/api/v10/channels/{}/messages"


async def call(pacing: Pacing, done: list[str], name: str, rank: Rank, path: str = "/users/@me") -> None:
    with ranked(rank):
        async with pacing.passage("POST", path) as answered:
            answered(200, {})
            done.append(name)


async def test_whoever_waits_is_let_through_by_rank():
    pacing, done = Pacing(ManualClock(), Pacer(5.0)), []
    async with asyncio.TaskGroup() as group:
        for number in range(6):
            group.create_task(call(pacing, done, f"edit {number}", Rank.EDIT))
        group.create_task(call(pacing, done, "alert", Rank.PEOPLE))
    assert done.index("alert") <= 1
    assert len(done) == 7


async def test_the_call_of_a_turn_is_the_one_that_was_granted_and_the_next_waits_for_itself():
    clock = StillClock()
    pacing = Pacing(clock, Pacer(1.0))
    async with asyncio.timeout(2):
        async with pacing.turn(1, method="POST", replaces=False):
            await asyncio.create_task(call(pacing, made := [], "first", Rank.EDIT, PATH.format(1)))
        waiting = [asyncio.create_task(call(pacing, made, "later", Rank.EDIT, PATH.format(1))) for _ in range(3)]
        await clock.asleep.wait()
    assert made[0] == "first"
    assert pacing.pacer.waiting >= 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert pacing.pacer.waiting == 0


async def test_an_edit_in_the_turn_of_a_replacement_waits_for_its_own_bucket():
    clock = StillClock()
    pacing = Pacing(clock)
    pacing.pacer.answered(
        "PATCH", 1, 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "3"}, clock.monotonic()
    )
    async with asyncio.timeout(2), pacing.turn(1, method="PATCH", replaces=True) as turn:
        assert turn.replaces
        edit = asyncio.create_task(anext(aiter(_passing(pacing))))
        await clock.asleep.wait()
        assert not edit.done() and pacing.pacer.waiting == 1
        edit.cancel()
        await asyncio.wait({edit})


async def _passing(pacing: Pacing):
    async with pacing.passage("PATCH", PATH.format(1)):
        yield


async def test_a_turn_without_a_call_and_a_wish_that_is_dropped_leave_their_room_to_others():
    pacing = Pacing(StillClock(), Pacer(1.0))
    async with asyncio.timeout(2):
        for channel_id in range(5):
            async with pacing.turn(channel_id, method="PATCH", replaces=False):
                pass
        await call(pacing, [], "one", Rank.EDIT)
        waiting = asyncio.create_task(call(pacing, [], "two", Rank.EDIT))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait({waiting})
    assert pacing.pacer.waiting == 0


@pytest.mark.parametrize("path", ["/api/v10/interactions/1/x/callback", "/api/v10/webhooks/1/x/messages/@original"])
async def test_answers_to_commands_never_wait(path):
    clock = StillClock()
    pacing = Pacing(clock, Pacer(1.0))
    waiting = [asyncio.create_task(call(pacing, [], "edit", Rank.EDIT)) for _ in range(5)]
    await clock.asleep.wait()
    async with asyncio.timeout(1):
        await call(pacing, done := [], "answer", Rank.EDIT, path)
    assert done == ["answer"]
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_sixty_calls_at_once_meet_no_429_on_the_wire():
    channels = [f"board-{number}" for number in range(60)]
    async with open_sandbox(channels=channels) as sandbox, pointed_at(sandbox):
        async with discord.Client(intents=discord.Intents.none()) as client:
            look_at_answers(client.http, Pacing(SystemClock()))
            await client.login(sandbox.token)
            routes = [
                Route("POST", "/channels/{channel_id}/messages", channel_id=channel_id)
                for channel_id in sandbox.channel_ids.values()
            ]
            await asyncio.gather(*(client.http.request(route, json={"content": "x"}) for route in routes))
        assert sandbox.traffic.statuses[429] == 0
        assert sandbox.traffic.routes["POST", "/channels/{channel_id}/messages", 200] == 60
