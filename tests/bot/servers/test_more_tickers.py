"""Tickers beyond the settings' own: admitted within a limit and from sources that can take them, and asked for."""

import asyncio
from types import SimpleNamespace

import pytest

from bot.servers.more_tickers import MoreTickers
from bot.servers.order_store import FeedOrders
from bot.servers.orders import BoardOrder
from streaming.errors import RequestError
from streaming.symbols import parse_ticker
from tests.support.feed import OPEN_AT
from tests.support.host import make_settings
from tests.support.virtual_clock import VirtualClock


def order(place: int, *tickers: str) -> BoardOrder:
    return BoardOrder(channel_id=place, tickers=tickers, guild_id=7)


class Followed:
    """SPX and NDX by the settings, everything from CBOE, and what `/feed` added."""

    def __init__(self, *orders: BoardOrder, **settings: object) -> None:
        self.made: list[tuple[str, ...]] = []
        self.running: set[tuple[str, ...]] = set()
        self.asked: list[str] = []
        self.clock = VirtualClock(OPEN_AT)
        self.orders = FeedOrders({one.channel_id: one for one in orders})
        chosen = {"gex_source": "cboe", "gex_feed_more_tickers": 2}
        self.more = MoreTickers(make_settings(**(chosen | settings)), self.orders, self.make, self.clock, ask=self.ask)

    def streaming(self) -> MoreTickers:
        """From now on with a streamer."""
        settings = self.more._settings.model_copy(update={"gex_feed_more_tickers": 3})
        self.streamed: list[str] = []
        self.more = MoreTickers(settings, self.orders, self.make, self.clock, ask=self.ask, stream=self.stream)
        return self.more

    def stream(self, tickers):
        self.streamed = [ticker.name for ticker in tickers]

    async def passed(self):
        """A second or two."""
        begun_s = self.clock.monotonic()
        await self.clock.run(lambda: self.clock.sleeping == 1, done=lambda: self.clock.monotonic() >= begun_s + 2)

    async def ask(self, ticker):
        self.asked.append(ticker.name)
        if ticker.name == "NOSUCH":
            raise RequestError("CBOE lists no options of NOSUCH.")

    def make(self, tickers):
        names = tuple(ticker.name for ticker in tickers)
        self.made.append(names)

        async def run(_progress):
            self.running.add(names)
            try:
                await asyncio.Event().wait()
            finally:
                self.running.discard(names)

        return [SimpleNamespace(name="cboe", run=run)]


async def test_a_followed_ticker_needs_no_source_and_another_is_asked_of_its_own():
    world = Followed()
    await world.more.admit(parse_ticker("SPX"))
    assert world.asked == []
    await world.more.admit(parse_ticker("TSLA"))
    with pytest.raises(RequestError, match="NOSUCH"):
        await world.more.admit(parse_ticker("NOSUCH"))
    assert world.asked == ["TSLA", "NOSUCH"]


async def test_what_is_beyond_the_limit_or_its_source_is_refused_with_what_there_is():
    full = Followed(order(1, "TSLA"), order(2, "AAPL", "SPX"))
    await full.more.admit(parse_ticker("AAPL"))
    for world, ticker, words in (
        (full, "AMD", "no more tickers"),
        (Followed(), "ES_SPX", "quotes no futures"),
        (Followed(gex_source="schwab"), "AMD", "no access to Schwab"),
    ):
        with pytest.raises(RequestError, match=words) as refused:
            await world.more.admit(parse_ticker(ticker))
        assert "Available: SPX, NDX." in (refused.value.remedy or "")
        assert world.asked == []


async def test_schwabs_are_handed_to_the_streamer_and_leave_it_when_nobody_shows_them():
    world = Followed(order(1, "SPX", "TSLA"), gex_source="schwab")
    await world.streaming().admit(parse_ticker("AAPL"))
    job = asyncio.create_task(world.more.run(lambda: None))
    try:
        await world.passed()
        assert (world.streamed, world.running) == (["TSLA"], set())
        world.orders.current = {1: order(1, "SPX")}
        await world.passed()
        assert (world.streamed, world.running) == ([], set())
    finally:
        job.cancel()
        await asyncio.wait({job})


async def test_sources_run_for_what_is_shown_and_change_with_it():
    world = Followed(order(1, "SPX", "TSLA"))
    job = asyncio.create_task(world.more.run(lambda: None))
    try:
        await world.passed()
        assert world.running == {("TSLA",)}
        world.orders.current = {1: order(1, "TSLA"), 2: order(2, "AAPL", "AMD")}
        await world.passed()
        assert world.running == {("TSLA", "AAPL")}
        world.orders.current = {1: order(1, "SPX")}
        await world.passed()
        assert not world.running
    finally:
        job.cancel()
        await asyncio.wait({job})
    assert world.made == [("TSLA",), ("TSLA", "AAPL")]
    assert not world.running
