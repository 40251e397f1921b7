"""What `/feed` does: what is kept, and what is refused with a sentence."""

import pytest

from bot.servers.feed_commands import FeedCommands
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from streaming.errors import RequestError
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock

SPX, NDX, OTHER = parse_ticker("SPX"), parse_ticker("NDX"), parse_ticker("TSLA")
NAMED = {1: BoardOrder(channel_id=1, tickers=("SPX",))}


class Desk:
    def __init__(self, redis) -> None:
        self.orders = FeedOrders(NAMED, OrderStore(redis))
        self.does = FeedCommands(self.orders, ManualClock(), per_server=2, admit=self.admit)

    @staticmethod
    async def admit(ticker):
        if ticker == OTHER:
            raise RequestError("TSLA is not followed here.")

    @property
    def shown(self):
        return {place: (order.tickers, order.origin, order.paused) for place, order in self.orders.current.items()}


@pytest.fixture
def desk(redis) -> Desk:
    return Desk(redis)


async def test_a_message_is_added_changed_and_removed(desk):
    await desk.does.add(2, 7, [NDX], style="plain", silent=None)
    assert desk.shown[2] == (("NDX",), "/feed", False)
    changed = await desk.does.change(2, 7, [SPX], refresh_minutes=0)
    assert (changed.tickers, changed.style, changed.refresh_minutes, changed.silent) == (("SPX",), "plain", 0, None)
    assert await desk.does.remove(2) is None
    assert desk.shown == {1: (("SPX",), "the settings", False)}


async def test_what_is_said_of_a_channel_of_the_settings_counts_until_it_is_removed(desk):
    await desk.does.change(1, 7, paused=True)
    assert desk.shown[1] == (("SPX",), "/feed", True)
    with pytest.raises(RequestError, match="is paused"):
        await desk.does.repost(1)
    assert (await desk.does.remove(1)).origin == "the settings"
    assert desk.shown[1] == (("SPX",), "the settings", False)
    with pytest.raises(RequestError, match="only its operator"):
        await desk.does.remove(1)


async def test_a_moved_message_goes_on_elsewhere_and_one_of_the_settings_rests_where_it_was(desk):
    await desk.does.move(1, 2, 7)
    assert desk.shown == {1: (("SPX",), "/feed", True), 2: (("SPX",), "/feed", False)}
    await desk.does.move(2, 3, 7)
    assert 2 not in desk.shown
    with pytest.raises(RequestError, match="already"):
        await desk.does.move(3, 1, 7)


async def test_a_new_message_is_wanted_now(desk):
    await desk.does.repost(1)
    assert desk.orders.current[1].reposted_ms > 0


async def test_what_cannot_be_is_refused_with_a_sentence(desk):
    with pytest.raises(RequestError, match="already"):
        await desk.does.add(1, 7, [NDX])
    with pytest.raises(RequestError, match="not followed"):
        await desk.does.add(2, 7, [OTHER])
    with pytest.raises(RequestError, match="no live message"):
        await desk.does.repost(9)
    for channel_id in (2, 3):
        await desk.does.add(channel_id, 7, [NDX])
    with pytest.raises(RequestError, match="allows 2"):
        await desk.does.add(4, 7, [NDX])
    await desk.does.add(4, 8, [NDX])


async def test_an_operator_may_keep_it_all_to_the_settings(redis):
    does = FeedCommands(FeedOrders(NAMED, OrderStore(redis)), ManualClock(), per_server=0, admit=Desk.admit)
    with pytest.raises(RequestError, match="GEX_FEED_PER_SERVER"):
        await does.change(1, 7, paused=True)
