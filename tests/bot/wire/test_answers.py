"""Answers that discord.py would misread, on the wire of the local Discord and of a stranger in its place."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import discord
import pytest
from aiohttp import web
from discord.http import Ratelimit, Route

from bot.alerts.post import AlertPost, UnreachableError
from bot.alerts.rules import Target
from bot.sandbox.rest.faults import Trouble, refused
from bot.wire.answers import ForeignAnswerError
from bot.wire.verdicts import json_code, unanswered
from streaming.errors import TransientError
from tests.support.discord_wire import live_bot
from tests.support.host import Host, make_settings

WITHIN_S = 2.0


def channel_of(sandbox):
    return next(iter(sandbox.channel_ids.values()))


@pytest.mark.parametrize("retry_after_s", [None, 20.0])
async def test_the_ration_of_old_edits_is_an_error_at_once_and_no_sleep(retry_after_s):
    async with live_bot() as (sandbox, bot, _):
        sandbox.fail(refused(30046, status=429, retry_after_s=retry_after_s), on="post")
        with pytest.raises(discord.HTTPException) as caught:
            async with asyncio.timeout(WITHIN_S):
                await bot.http.request(Route("POST", "/channels/{channel_id}/messages", channel_id=channel_of(sandbox)))
        assert (caught.value.status, json_code(caught.value)) == (429, 30046)


async def test_a_429_about_the_pace_is_still_slept_in():
    async with live_bot() as (sandbox, bot, _):
        sandbox.fail(Trouble(429, retry_after_s=0.05), on="channel", count=1)
        found = await bot.http.get_channel(channel_of(sandbox))
        assert found["id"] == str(channel_of(sandbox))


async def test_a_429_that_asks_for_more_than_half_a_minute_is_the_callers_to_plan():
    async with live_bot() as (sandbox, bot, _):
        sandbox.fail(Trouble(429, retry_after_s=5000.0), on="channel")
        with pytest.raises(discord.RateLimited) as caught:
            async with asyncio.timeout(WITHIN_S):
                await bot.http.get_channel(channel_of(sandbox))
        assert caught.value.retry_after == 5000.0


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404])
@pytest.mark.parametrize("shape", ["page", "codeless", "empty", "broken"])
async def test_an_alert_that_meets_a_strangers_answer_is_tried_again(status, shape):
    async with live_bot() as (sandbox, bot, _):
        sandbox.fail(Trouble(status, shape=shape), on="post", channel_id=channel_of(sandbox), count=1)
        target, post = Target(channel_id=channel_of(sandbox)), AlertPost(bot)
        with pytest.raises(TransientError):
            await post.send(target, "x", nonce="n")
        await post.send(target, "x", nonce="n")


async def test_a_person_who_takes_no_messages_is_one():
    async with live_bot() as (sandbox, bot, _):
        sandbox.fail(refused(50007), on="letter")
        with pytest.raises(UnreachableError):
            await AlertPost(bot).send(Target(user_id=sandbox.guest_id), "x", nonce="n")


@asynccontextmanager
async def stranger(status, body, content_type="application/json", **headers):
    """Somebody who gives the same answer to everything, and a client that asks there."""

    async def answer(_request):
        return web.Response(body=body, status=status, headers={"Content-Type": content_type, "Via": "1", **headers})

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    bot = Host(make_settings()).make_bot()
    route = SimpleNamespace(
        method="GET", url=f"http://127.0.0.1:{runner.addresses[0][1]}/x", key="x", major_parameters=""
    )
    async with bot:
        with pytest.raises((discord.HTTPException, OSError)):
            await bot.http.static_login("a-token")
        try:
            yield lambda: bot.http.request(route)
        finally:
            await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (403, b""),
        (200, b"<html>"),
        (200, b"{"),
        (200, b"5"),
        (403, b"<html>"),
        (403, b'{"message": 5, "code": 0}'),
        (403, b'{"message": "no", "code": 50013, "errors": ["x"]}'),
        (401, b'{"message": "401: Unauthorized"}'),
        (429, b'{"message": {}}'),
        (429, b"\xff\xfe"),
    ],
)
async def test_json_that_is_none_or_not_discords_is_a_foreign_answer_and_passes(status, body):
    async with stranger(status, body) as ask:
        with pytest.raises(ForeignAnswerError) as caught:
            await ask()
        assert isinstance(unanswered(caught.value), TransientError)


@pytest.mark.parametrize("wait", ["null", '"soon"', "NaN", "-1"])
async def test_a_429_without_a_time_is_an_error_and_no_bug(wait):
    async with stranger(429, f'{{"message": "slow", "retry_after": {wait}}}'.encode()) as ask:
        with pytest.raises(discord.HTTPException) as caught:
            await ask()
        assert caught.value.status == 429


async def test_the_paces_of_thousands_of_channels_are_not_all_looked_at_for_each_new_one(monkeypatch):
    """discord.py did so from the 256th on: the goodbyes of 2,000 live messages held the event loop for seconds."""
    host, looks = Host(make_settings()), []
    bot = host.make_bot(())
    monkeypatch.setattr(Ratelimit, "is_inactive", lambda each: looks.append(each) is None)
    for number in range(300):
        bot.http.get_ratelimit(f"PATCH {number}")
    host.clock.advance(301)
    bot.http.get_ratelimit("PATCH 300")
    assert len(looks) == 301
    assert not bot.http._buckets
