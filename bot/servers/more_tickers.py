"""Tickers that the settings do not follow and that a live message of some server shows: asked of their sources too."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bot.servers.order_store import FeedOrders
from bot.settings import BotSettings
from streaming.clock import Clock
from streaming.errors import RequestError
from streaming.ports import Progress, SnapshotSource
from streaming.streamer.source_table import what_is_missing
from streaming.symbols import Ticker, parse_ticker

_LOOK_EVERY_S: Final = 1.0
_STREAMED: Final = "schwab"
"""Whose tickers whoever streams computes, on the one stream that there is."""
MakeSources = Callable[[Sequence[Ticker]], Sequence[SnapshotSource]]
Ask = Callable[[Ticker], Awaitable[object]]
"""Raises what a source says of a ticker that it does not know."""
ServeBeside = Callable[[Sequence[Ticker]], object]
"""Has the streamer compute these beside its own."""


class MoreTickers:
    """Which tickers live messages may show beside the followed ones, and the sources that run for them."""

    def __init__(
        self,
        settings: BotSettings,
        orders: FeedOrders,
        make: MakeSources,
        clock: Clock,
        *,
        ask: Ask | None = None,
        stream: ServeBeside | None = None,
    ) -> None:
        """`make` builds the sources of some tickers, except of those that `stream` takes; None without Schwab's app.

        `ask` proves that a ticker exists, None where nobody can.
        """
        self._settings = settings
        self._orders = orders
        self._make = make
        self._clock = clock
        self._ask = ask
        self._stream = stream
        self.sources: Sequence[SnapshotSource] = ()

    @property
    def wanted(self) -> tuple[Ticker, ...]:
        """Those that are shown, as many as the operator allows."""
        followed = {ticker.name for ticker in self._settings.tickers}
        shown = dict.fromkeys(name for order in self._orders.current.values() for name in order.tickers)
        more = [name for name in shown if name not in followed]
        return tuple(parse_ticker(name) for name in more[: self._settings.gex_feed_more_tickers])

    async def admit(self, ticker: Ticker) -> None:
        """RequestError for one that no source gives, or that is one too many; what its source raises otherwise."""
        if ticker in self._settings.tickers or ticker in self.wanted:
            return
        names = ", ".join(known.name for known in self._settings.tickers)
        if self._stream is None and self._settings.source_of(ticker.name) == _STREAMED:
            raise RequestError(
                f"{ticker.name} is not followed here, and this bot has no access to Schwab's data.",
                remedy=f"Available: {names}.",
            )
        if (lacking := what_is_missing(self._settings.source_of(ticker.name), [ticker], self._settings)) is not None:
            raise RequestError(lacking.sentence, remedy=f"Available: {names}.")
        if len(self.wanted) >= self._settings.gex_feed_more_tickers:
            raise RequestError(
                f"{ticker.name} is not followed here, and no more tickers can be.", remedy=f"Available: {names}."
            )
        if self._ask is not None:
            await self._ask(ticker)

    async def run(self, progress: Progress) -> None:
        """Keep sources running for what is wanted until cancelled; a change ends them and begins them anew."""
        while True:
            wanted = self.wanted
            streamed = self._settings.tickers_from(_STREAMED, wanted)
            if self._stream is not None:
                self._stream(streamed)
            others = [ticker for ticker in wanted if ticker not in streamed]
            self.sources = self._make(others) if others else ()
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(one.run(progress), name=f"more {one.name}") for one in self.sources]
                while self.wanted == wanted:
                    await self._clock.sleep(_LOOK_EVERY_S)
                for task in running:
                    task.cancel()
            progress()
