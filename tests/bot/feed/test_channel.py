"""Real discord.py objects on dpytest's back end, and every error Discord is known to answer with."""

import asyncio
import gc
import sys
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import discord
import discord.ext.test as dpytest
import pytest
from discord.ext import commands

from bot.choices import Choices
from bot.feed.channel import AssuredChannel, DiscordChannel, GoneMessageError, WornMessageError, translate
from bot.live_buttons import live_buttons
from bot.render.card import card_text
from streaming.bus.lease import LeaseLostError
from streaming.errors import OperatorError, RequestError, TransientError
from tests.support.discord_answers import page_answer
from tests.support.feed import FakeChannel


@pytest.fixture
async def bot(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bot = commands.Bot(command_prefix="!", intents=discord.Intents.all())
    await bot._async_setup_hook()
    dpytest.configure(bot, guilds=1, text_channels=2, members=1)
    yield bot
    await dpytest.empty_queue()


@pytest.fixture
def text_channel(bot) -> discord.TextChannel:
    return bot.guilds[0].text_channels[0]


async def contents(channel: discord.TextChannel) -> list[str]:
    return [message.content async for message in channel.history(limit=10)]


async def test_a_message_is_sent_to_the_channel(bot, text_channel):
    await DiscordChannel(bot, text_channel.id).send("figures", nonce="n1")
    assert await contents(text_channel) == ["figures"]


@pytest.mark.parametrize("silent", [True, False])
async def test_a_new_message_makes_a_sound_only_where_that_is_wanted_and_pings_nobody(silent):
    place = AsyncMock()
    client = SimpleNamespace(
        is_closed=lambda: False, get_channel=lambda _id: None, get_partial_messageable=lambda _id: place
    )
    await DiscordChannel(client, 5, silent=lambda channel_id: silent and channel_id == 5).send("figures", nonce="n1")
    asked = place.send.call_args.kwargs
    assert asked["silent"] is silent
    assert asked["allowed_mentions"].to_dict() == {"parse": []}


async def test_a_message_is_edited(bot, text_channel):
    channel = DiscordChannel(bot, text_channel.id)
    message_id = await channel.send("figures", nonce="n1")
    await channel.edit(message_id, "newer figures")
    assert await contents(text_channel) == ["newer figures"]


async def test_a_message_is_deleted(bot, text_channel):
    channel = DiscordChannel(bot, text_channel.id)
    message_id = await channel.send("figures", nonce="n1")
    await channel.delete(message_id)
    assert await contents(text_channel) == []


def http_error(kind: type[discord.HTTPException], status: int, code: int, **headers: str) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="reason", headers={"Content-Type": "application/json", **headers})
    return kind(response, {"code": code, "message": "what Discord says"})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (http_error(discord.NotFound, 404, 10008), GoneMessageError),
        (http_error(discord.Forbidden, 403, 50005), GoneMessageError),
        (http_error(discord.HTTPException, 400, 30046), WornMessageError),
        (http_error(discord.NotFound, 404, 10003), OperatorError),
        (http_error(discord.Forbidden, 403, 50001), OperatorError),
        (http_error(discord.Forbidden, 403, 50013), OperatorError),
        (http_error(discord.HTTPException, 400, 50083), WornMessageError),
        (http_error(discord.HTTPException, 429, 30046), WornMessageError),
        (http_error(discord.Forbidden, 403, 50008), OperatorError),
        (http_error(discord.Forbidden, 403, 160005), OperatorError),
        (http_error(discord.HTTPException, 400, 200000), OperatorError),
        (http_error(discord.HTTPException, 400, 240000), OperatorError),
        (http_error(discord.HTTPException, 429, 20022), OperatorError),
        (http_error(discord.Forbidden, 403, 40333), TransientError),
        (http_error(discord.Forbidden, 403, 0), TransientError),
        (http_error(discord.NotFound, 404, 0), TransientError),
        (page_answer(403), TransientError),
        (page_answer(404), TransientError),
        (page_answer(401), TransientError),
        (http_error(discord.Forbidden, 403, 50007), TransientError),
        (http_error(discord.HTTPException, 401, 50014), OperatorError),
        (http_error(discord.HTTPException, 429, 0), TransientError),
        (http_error(discord.DiscordServerError, 503, 0), TransientError),
        (http_error(discord.HTTPException, 400, 50035), RequestError),
        (discord.RateLimited(3.5), TransientError),
        (aiohttp.ClientConnectionError(), TransientError),
        (TimeoutError(), TransientError),
    ],
)
def test_every_answer_of_discords_is_somebodys_move(error, expected):
    assert type(translate(error, channel_id=77)) is expected


def test_the_wish_to_slow_down_is_kept():
    error = translate(http_error(discord.HTTPException, 429, 0, **{"Retry-After": "2.5"}), channel_id=77)
    assert isinstance(error, TransientError)
    assert error.retry_after_s == 2.5


def test_a_missing_permission_names_channel_and_remedy():
    error = translate(http_error(discord.Forbidden, 403, 50013), channel_id=77)
    assert "The bot may not write in channel 77." in error.sentence
    assert "Give it View Channel and Send Messages there" in error.sentence
    assert "what Discord says" not in error.sentence


async def test_library_errors_stop_at_the_adapter(bot, text_channel, monkeypatch):
    channel = DiscordChannel(bot, text_channel.id)

    async def fail(*args, **kwargs):
        raise http_error(discord.Forbidden, 403, 50013)

    for name in ("send_message", "edit_message", "delete_message"):
        monkeypatch.setattr(bot.http, name, fail)
    with pytest.raises(OperatorError):
        await channel.send("figures", nonce="n1")
    with pytest.raises(OperatorError):
        await channel.edit(1, "figures")
    with pytest.raises(OperatorError):
        await channel.delete(1)


async def test_an_id_is_enough_before_the_gateway_has_told_of_the_channel(bot, monkeypatch):
    called = []

    async def note(channel_id, message_id, **fields):
        called.append((channel_id, message_id))

    monkeypatch.setattr(bot.http, "delete_message", note)
    await DiscordChannel(bot, 4242).delete(17)
    assert called == [(4242, 17)]


async def test_a_bot_that_signed_off_is_worth_another_try_later(bot, text_channel):
    bot._closing_task = object()
    with pytest.raises(TransientError):
        await DiscordChannel(bot, text_channel.id).send("figures", nonce="n1")
    bot._closing_task = None


async def test_posts_carry_their_nonce_and_mention_nobody(bot, text_channel, monkeypatch):
    seen = []

    async def note(channel_id, *, params):
        seen.append(params.payload)
        raise TimeoutError

    monkeypatch.setattr(bot.http, "send_message", note)
    with pytest.raises(TransientError):
        await DiscordChannel(bot, text_channel.id).send("@everyone", nonce="n1")
    assert seen[0]["nonce"] == "n1"
    assert seen[0]["enforce_nonce"] is True
    assert seen[0]["allowed_mentions"]["parse"] == []


class Uncertain:
    """A lease that goes to another process after so many questions."""

    def __init__(self, questions: int) -> None:
        self.questions = questions
        self.late = 0

    async def assure(self) -> None:
        self.questions -= 1
        if self.questions < 0:
            raise LeaseLostError("gone")

    async def came_late(self) -> None:
        self.late += 1


async def test_nothing_is_written_once_the_feed_is_anothers():
    channel, lease = FakeChannel(), Uncertain(0)
    assured = AssuredChannel(channel, lease.assure, lease.came_late)
    channel.messages = {1: "theirs"}
    for write in (assured.send("ours", nonce="n"), assured.edit(1, "ours"), assured.delete(1)):
        with pytest.raises(LeaseLostError):
            await write
    assert channel.messages == {1: "theirs"}
    assert lease.late == 0


@pytest.mark.parametrize("fault", [None, TransientError("Discord does not answer.")])
async def test_an_edit_that_came_after_the_feed_was_lost_is_told(fault):
    channel, lease = FakeChannel(), Uncertain(1)
    channel.messages = {1: "theirs"}
    channel.faults = [fault] if fault else []
    with pytest.raises(LeaseLostError):
        await AssuredChannel(channel, lease.assure, lease.came_late).edit(1, "ours")
    assert lease.late == 1


_BLOCK_BYTES = 64
"""Of one that Python allots, on average; counting them takes no time, unlike tracing them."""
_CARD = card_text([["### GEX: SPX"], ["figures"]])


def _ordinary() -> list[discord.ui.Item[Any]]:
    return [discord.ui.Button(label="Levels", custom_id="board:levels")]


@pytest.mark.parametrize(
    ("text", "buttons", "leaks"),
    [
        (_CARD, list, False),
        (_CARD, partial(live_buttons, "SPX", Choices()), False),
        ("figures", partial(live_buttons, "SPX", Choices()), False),
        ("figures", _ordinary, True),
    ],
    ids=["a card", "a card with its buttons", "a block with its buttons", "an ordinary button"],
)
async def test_two_thousand_reposts_leave_nothing_in_the_library_but_with_an_ordinary_button(
    monkeypatch, text, buttons, leaks
):
    bot = discord.Client(intents=discord.Intents.none())
    ids = iter(range(1, 10_000))
    lists: dict[str, list[str]] = {
        key: [] for key in ("attachments", "embeds", "mentions", "mention_roles", "components")
    }
    author = {"id": "7", "username": "bot", "discriminator": "0", "avatar": None}
    answer = lists | {"channel_id": "1", "author": author, "content": "", "type": 0, "flags": 1 << 15}

    async def sent(channel_id, *, params):
        times = {"timestamp": "2026-11-20T15:00:00+00:00", "edited_timestamp": None}
        return answer | times | {"id": str(next(ids))}

    monkeypatch.setattr(bot.http, "send_message", sent)
    channel = DiscordChannel(bot, 1, buttons=lambda _channel_id: buttons())

    async def repost(times: int) -> int:
        for _ in range(times):
            await channel.send(text, nonce="n")
            await asyncio.sleep(0)  # where the event loop forgets the time limits of calls that are over
        gc.collect()
        return sys.getallocatedblocks()

    before = await repost(300)
    grown = await repost(2000) - before
    assert (grown > 2000 * 10) if leaks else (grown <= 50 * 1024 / _BLOCK_BYTES)


async def test_a_card_is_sent_without_content_and_read_by_its_texts(bot, monkeypatch):
    asked = []
    channel = DiscordChannel(bot, 1)

    async def send(_self, **wanted):
        asked.append(wanted)
        return SimpleNamespace(id=5)

    monkeypatch.setattr(discord.PartialMessageable, "send", send)
    monkeypatch.setattr(discord.PartialMessage, "edit", send)
    await channel.send(card_text([["one"]]), nonce="n")
    await channel.edit(6, card_text([["two"]]))
    await channel.edit(6, "three")
    assert [wanted["content"] for wanted in asked] == [None, None, "three"]
    texts = [wanted["view"].to_components()[0]["components"][0]["content"] for wanted in asked[:2]]
    assert texts == ["one", "two"]
