"""The connection to the gateway: what ends it, what does not, and when it is missed."""

import asyncio
import logging

import aiohttp
import pytest
from discord.gateway import DiscordWebSocket

from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.rest.faults import Trouble
from bot.wire.identify_budget import IdentifyBudget
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError, LoginRequiredError
from tests.support.clock import ManualClock
from tests.support.discord_wire import live_bot, pointed_at
from tests.support.host import Host, make_settings
from tests.support.wire import until


@pytest.mark.parametrize(
    ("code", "family", "words"),
    [
        (4004, LoginRequiredError, "refuses DISCORD_BOT_TOKEN"),
        (4011, ConfigurationError, "in more shards"),
        (4013, ConfigurationError, "does not know an intent"),
        (4014, LoginRequiredError, "does not allow this application an intent"),
    ],
)
async def test_a_close_that_is_for_good_ends_the_run_with_its_own_sentence(code, family, words):
    async with open_sandbox() as sandbox, pointed_at(sandbox), Host(make_settings()).make_bot() as bot:
        sandbox.gateway.trouble.refusals.append(code)
        with pytest.raises(family, match=words) as caught:
            async with asyncio.timeout(5):
                await bot.run_until_closed(sandbox.token)
        assert caught.value.exit_status == (78 if family is ConfigurationError else 77)
        assert caught.value.remedy


@pytest.mark.parametrize("code", [1000, 4000, 4009, 4010, 4012])
async def test_every_other_close_is_dialled_again(code):
    async with live_bot() as (sandbox, bot, running):
        sandbox.gateway.close_all(code)
        await until(lambda: sandbox.gateway.identifies + sandbox.gateway.resumes == 2)
        await until(lambda: bot.gateway.is_up)
        assert not running.done() and not bot.is_closed()


async def test_a_lost_connection_takes_up_its_session_and_says_so_in_one_line(caplog):
    async with live_bot() as (sandbox, bot, _):
        with caplog.at_level(logging.WARNING):
            sandbox.gateway.abort_all()
            await until(lambda: sandbox.gateway.resumes == 1 and bot.gateway.is_up)
        assert sandbox.gateway.identifies == 1
        (line,) = [record for record in caplog.records if "gateway" in record.getMessage()]
        assert line.levelno == logging.WARNING and line.exc_info is None


async def test_a_connection_that_breaks_while_it_is_greeted_is_closed_with_its_heartbeat(monkeypatch):
    """discord.py forgot it: asyncio then complained of an unclosed connection (storm 3027)."""
    broken: list[DiscordWebSocket] = []
    identify = DiscordWebSocket.identify

    async def breaks_once(ws: DiscordWebSocket) -> None:
        if broken:
            await identify(ws)
        else:
            broken.append(ws)
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(DiscordWebSocket, "identify", breaks_once)
    async with live_bot() as (_, bot, _running):
        assert bot.gateway.is_up
        assert broken[0].socket.closed
        assert broken[0]._keep_alive is None or not broken[0]._keep_alive.is_alive()


async def test_a_gateway_that_is_down_at_the_start_is_waited_for():
    async with open_sandbox() as sandbox, pointed_at(sandbox, gateway_url="ws://127.0.0.1:9/") as addresses:
        bot = Host(make_settings()).make_bot()
        bot._connection.guild_ready_timeout = 0.05
        async with bot:
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            await bot.logged_in.wait()
            await asyncio.sleep(0.05)
            assert not running.done() and not bot.gateway.is_up
            addresses.correct()
            await until(lambda: bot.gateway.is_up)
            await bot.close()
            await running


async def test_a_gateway_that_answers_with_a_page_is_waited_for_with_pauses_that_grow(monkeypatch):
    monkeypatch.setattr("discord.client.Client.before_identify_hook", _at_once)
    pauses = []

    class Noting(ManualClock):
        async def sleep(self, seconds):
            pauses.append(seconds)
            await super().sleep(seconds)

    host = Host(make_settings(), clock=Noting())
    async with live_bot(host) as (sandbox, bot, running):
        sandbox.gateway.go_down(answer=Trouble(403, shape="page"))
        await until(lambda: len(pauses) > 12)
        sandbox.gateway.trouble.come_up()
        await until(lambda: bot.gateway.is_up)
        assert not running.done()
    assert pauses[8] > 14
    assert max(pauses) <= 30


async def test_a_session_that_cannot_be_taken_up_is_opened_anew(monkeypatch):
    monkeypatch.setattr("discord.client.Client.before_identify_hook", _at_once)
    async with live_bot() as (sandbox, bot, _):
        sandbox.gateway.invalidate(resumable=False)
        await until(lambda: sandbox.gateway.identifies == 2 and bot.gateway.is_up)


async def _at_once(_client, _shard_id, *, initial=False):
    """discord.py waits five seconds before it opens another session."""


async def test_something_that_is_no_event_at_all_costs_the_connection_and_not_the_bot(caplog, monkeypatch):
    monkeypatch.setattr("discord.client.Client.before_identify_hook", _at_once)
    async with live_bot() as (sandbox, bot, running):
        sandbox.gateway._send_all("this is no JSON")
        await until(lambda: sandbox.gateway.identifies == 2 and bot.gateway.is_up)
        assert not running.done()
    assert "sent something unreadable" in caplog.text


async def test_the_days_budget_of_sessions_stops_dialling_and_is_told_once(redis, monkeypatch):
    monkeypatch.setattr("discord.client.Client.before_identify_hook", _at_once)
    told = []

    async with open_sandbox() as sandbox, pointed_at(sandbox):
        host = Host(make_settings())
        host.budget = IdentifyBudget(redis, sandbox.token, SystemClock(), most=3)
        bot = host.make_bot()
        bot.tell_operators = told.append
        async with bot:
            running = asyncio.create_task(bot.run_until_closed(sandbox.token))
            for count in (1, 2, 3):
                await until(lambda count=count: sandbox.gateway.identifies == count and bot.gateway.is_up)
                sandbox.gateway.invalidate(resumable=False)
            await until(lambda: bool(told))
            await asyncio.sleep(0.1)
            assert sandbox.gateway.identifies == 3
            assert len(told) == 1 and "3 sessions" in told[0]
            assert not running.done()
            await redis.flushdb()
            host.budget._own.clear()
            await until(lambda: sandbox.gateway.identifies == 4 and bot.gateway.is_up)
            await bot.close()
            await running
