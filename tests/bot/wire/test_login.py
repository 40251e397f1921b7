"""A login that is not believed to be refused before Discord itself says so twice."""

import asyncio
import logging
import random
from types import SimpleNamespace

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.rest.faults import Trouble
from bot.wire.login import ASK_AGAIN_S, log_in, point_discord_at
from streaming.errors import LoginRequiredError
from tests.support.clock import ManualClock
from tests.support.discord_answers import page_answer, refused_token
from tests.support.discord_wire import pointed_at
from tests.support.host import Host, make_settings

CLOUDFLARE = Trouble(429, shape="page", retry_after_s=1800.0, via=False)


class NotingClock(ManualClock):
    def __init__(self, *then):
        super().__init__()
        self.slept = []
        self.then = list(then)

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if self.then:
            self.then.pop(0)()
        await super().sleep(seconds)


async def logged_in(sandbox, clock, token=None):
    bot = Host(make_settings()).make_bot(extensions=())
    async with bot, asyncio.timeout(5):
        await log_in(bot, token or sandbox.token, clock, random.Random(1))
        assert bot.logged_in.is_set()


async def test_a_token_that_discord_itself_refuses_twice_is_the_end():
    clock = NotingClock()
    async with open_sandbox() as sandbox, pointed_at(sandbox):
        with pytest.raises(LoginRequiredError, match="refuses DISCORD_BOT_TOKEN") as caught:
            await logged_in(sandbox, clock, "no-such-token")
    assert clock.slept == [ASK_AGAIN_S]
    assert caught.value.exit_status == 77


class Client:
    """A client whose logins go as told: None is a success."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.http = SimpleNamespace(close=self._nothing, connector=None)

    async def _nothing(self):
        return

    async def login(self, _token):
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise discord.LoginFailure("Improper token has been passed.") from outcome


async def test_a_refusal_counts_only_when_it_is_said_again_at_once():
    client = Client(refused_token(), page_answer(401), refused_token(), None)
    clock = NotingClock()
    await log_in(client, "token", clock, random.Random(1))
    assert [pause == ASK_AGAIN_S for pause in clock.slept] == [True, False, True]


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(401, shape="page"),
        Trouble(401, shape="empty"),
        Trouble(401, shape="codeless"),
        Trouble(403, shape="page"),
        CLOUDFLARE,
        Trouble(503),
        Trouble(200, shape="page"),
        Trouble(cut=True),
    ],
)
async def test_whatever_else_is_in_the_way_is_waited_out_and_logged_once_and_once_when_over(trouble, caplog):
    clock = NotingClock()
    async with open_sandbox() as sandbox, pointed_at(sandbox):
        sandbox.fail(trouble, on="me", count=3)
        with caplog.at_level(logging.WARNING):
            await logged_in(sandbox, clock)
    lines = [record.getMessage() for record in caplog.records if record.name == "bot.wire.login"]
    assert len(lines) == 2, lines
    assert lines[0].startswith("the bot cannot log in to Discord yet: ")
    assert lines[1].startswith("the bot has logged in to Discord after ")
    assert "<" not in caplog.text
    assert 1 <= len(clock.slept) <= 3  # aiohttp itself asks again over a cut connection
    if trouble is CLOUDFLARE:
        assert clock.slept == [1800.0] * 3


async def test_no_network_at_the_start_is_waited_out():
    async with open_sandbox() as sandbox, pointed_at(sandbox, api_url="http://127.0.0.1:9/api/v10") as addresses:
        clock = NotingClock(lambda: None, addresses.correct)
        await logged_in(sandbox, clock)
    assert len(clock.slept) == 2


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


def test_both_addresses_reach_the_library() -> None:
    point_discord_at("http://127.0.0.1:1/api/v10/", "ws://127.0.0.1:1/gateway/")
    assert Route("GET", "/users/@me").url == "http://127.0.0.1:1/api/v10/users/@me"
    assert yarl.URL("ws://127.0.0.1:1/gateway/") == DiscordWebSocket.DEFAULT_GATEWAY


def test_what_is_not_named_stays_discords_own() -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    point_discord_at(None, None)
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)
