"""An order for a channel that is gone is forgotten after a day, said once, and not for anything that passes."""

from datetime import timedelta
from unittest.mock import AsyncMock, MagicMock

import pytest

from bot.servers.departures import GRACE, Departures, judge
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from streaming.bus import keys
from streaming.bus.notes import Notes
from tests.support.clock import ManualClock
from tests.support.discord_answers import json_answer, page_answer

DAY_MS = GRACE // timedelta(milliseconds=1)
ORDER = BoardOrder(channel_id=5, tickers=("SPX",), guild_id=7)


def test_a_channel_is_over_after_the_grace_and_one_that_came_back_is_not():
    assert judge({}, [5], [], DAY_MS).gone == {5: DAY_MS}
    assert judge({5: 0}, [5], [], DAY_MS - 1).over == []
    assert judge({5: 0}, [5], [], DAY_MS).over == [5]
    assert judge({5: 0}, [], [5], DAY_MS).back == [5]
    assert judge({5: 0}, [], [], DAY_MS).over == []


class Server:
    """A bot that sees a server, a channel, or neither."""

    def __init__(self, redis) -> None:
        self.clock, self.told = ManualClock(), []
        self.store = OrderStore(redis)
        self.guild = MagicMock(unavailable=False)
        self.client, self.hears = MagicMock(), True
        self.client.get_guild.side_effect = lambda _id: self.guild
        self.client.fetch_channel = AsyncMock()
        self.orders = FeedOrders({}, self.store)
        told = Notes(redis, keys.FEED_TOLD, about="what was told")
        self.watch = Departures(
            self.client,
            self.orders,
            self.store,
            told,
            self.clock,
            self.told.append,
            hears_of=lambda guild_id: self.hears and guild_id == ORDER.guild_id,
        )

    async def days(self, count: int) -> list[int]:
        """Which orders there are after looking once a day."""
        await self.store.put(ORDER)
        for _ in range(count):
            await self.watch.look()
            self.clock.advance(86_400)
        return list(self.orders.current)


@pytest.fixture
def server(redis) -> Server:
    return Server(redis)


async def test_a_server_that_the_bot_left_is_forgotten_and_that_is_said_once(server):
    server.guild = None
    assert await server.days(1) == [5]
    assert await server.days(1) == []
    assert await server.days(2) == []
    assert len(server.told) == 1
    assert "Channel 5 of server 7" in server.told[0]


async def test_a_deleted_channel_is_forgotten(server):
    server.guild.get_channel_or_thread.return_value = None
    server.client.fetch_channel.side_effect = json_answer(404, 10003)
    assert await server.days(3) == []


@pytest.mark.parametrize("error", [page_answer(404), json_answer(403, 50001), json_answer(503, 0), TimeoutError()])
async def test_what_may_pass_takes_nothing_away(server, error):
    server.guild.get_channel_or_thread.return_value = None
    server.client.fetch_channel.side_effect = error
    assert await server.days(4) == [5]


async def test_an_unavailable_server_another_shard_and_a_bot_that_is_away_take_nothing_away(server):
    server.guild.unavailable = True
    assert await server.days(3) == [5]
    server.guild, server.hears = None, False
    assert await server.days(3) == [5]
    server.hears = True
    server.client.is_ready.return_value = False
    assert await server.days(3) == [5]


async def test_a_channel_that_is_there_again_begins_anew(server):
    server.guild.get_channel_or_thread.return_value = None
    server.client.fetch_channel.side_effect = json_answer(404, 10003)
    await server.days(1)
    assert server.orders.kept.gone
    server.client.fetch_channel.side_effect = None
    assert await server.days(1) == [5]
    assert not server.orders.kept.gone
