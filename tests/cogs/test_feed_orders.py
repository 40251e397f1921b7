"""`/feed` in a server: who may order a live message, where one can stand, and what is answered."""

from unittest.mock import AsyncMock

import pytest

from bot.servers.feed_commands import FeedCommands
from bot.servers.order_store import FeedOrders, OrderStore
from cogs.card_offer import HINT
from tests.support.clock import ManualClock


@pytest.fixture
def simcord_bot(host, redis):
    host.orders = FeedOrders({}, OrderStore(redis))
    host.feed_desk = FeedCommands(host.orders, ManualClock(), per_server=10, admit=AsyncMock())
    return host.make_bot()


async def say(room, command, **options):
    answer = (await room.operator.slash(room.channel, f"feed {command}", **options)).response
    assert answer.ephemeral
    return answer.content


async def test_a_message_is_ordered_changed_moved_rested_and_taken_away(room):
    here = f"<#{room.channel.id}>"
    other = room.guild.create_text_channel("elsewhere")
    assert (await say(room, "add", tickers="spx")).startswith(
        f"From now on: {here} shows SPX (style ansi, a new message every 5 min, without a sound)."
    )
    assert "already" in await say(room, "add", tickers="ndx")
    assert "NDX (style plain, weight vol, a new message every 30 min, with a sound)" in await say(
        room, "set", tickers="ndx", style="plain", weight="vol", silent=False, refresh=30
    )
    assert "It is paused" in await say(room, "pause")
    assert "It is paused" not in await say(room, "resume")
    assert "A new message comes" in await say(room, "repost")
    assert f"<#{other.id}> shows NDX" in await say(room, "move", to=other)
    assert f"no live message in {here}" in await say(room, "remove")
    assert "any more" in await say(room, "remove", channel=other)
    assert room.host.orders.current == {}
    assert len(room.env.errors) == 2


async def test_who_orders_a_message_may_take_the_card_style_with_one_click_which_is_noted(room):
    asked = (await room.operator.slash(room.channel, "feed add", tickers="SPX")).response
    assert HINT in asked.content
    await room.operator.click(asked, label="Use the card style")
    assert room.host.orders.current[room.channel.id].style == "card"
    assert any(f"feed set channel:{room.channel.id} style:card" in text for text in room.host.noted.texts)
    elsewhere = room.guild.create_text_channel("cards")
    assert "phones" not in await say(room, "add", tickers="SPX", channel=elsewhere, style="card")


async def test_where_a_live_message_cannot_stand_it_is_not_ordered(room):
    assert "announcement channel" in await say(room, "add", tickers="SPX", channel=room.guild.create_news_channel("n"))
    assert "accepts no messages" in await say(room, "add", tickers="SPX", channel=room.guild.create_forum_channel("f"))
    assert room.host.orders.current == {}
    assert room.env.errors


async def test_alerts_ping_one_role_that_can_be_pinged_until_that_is_taken_back(room):
    await say(room, "add", tickers="SPX")
    traders = room.guild.create_role("Traders", mentionable=True)
    assert f"alerts ping <@&{traders.id}>" in await say(room, "set", role=traders)
    assert "alerts ping" not in await say(room, "set", ping=False)


async def test_a_guest_orders_nothing(room):
    root = room.env.backend.find_command("feed", room.guild.id, type=1)
    room.guild.set_command_permissions(int(root["id"]), {room.guest: True})
    answer = (await room.guest.slash(room.channel, "feed add", tickers="SPX")).response
    assert "members who may manage this server" in answer.content
    assert room.host.orders.current == {}
    assert room.env.errors


async def test_what_is_no_ticker_is_said(room):
    assert "is not a ticker" in await say(room, "add", tickers="%%")
    assert room.env.errors
