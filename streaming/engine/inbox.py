"""What waits to be handed to the engines: the newest of each symbol, and which tickers it concerns. Pure."""

import asyncio
from collections.abc import Sequence
from typing import Final

from streaming.engine.protocol import ChainReceipt, Spot, Take
from streaming.engine.trade_tape import TradeTape
from streaming.gex.points.point_views import relatives_of
from streaming.model import OptionQuote, TickEvent
from streaming.ports import StreamEvent
from streaming.symbols import Ticker

MOST_WAITING: Final = 4096
"""Option quotes; with more, the oldest is dropped."""


class EngineInbox:
    """Keeps one price and one quote a symbol until they are handed over; says who has news."""

    def __init__(self, tickers: Sequence[Ticker]) -> None:
        self._names_by_wire: dict[str, set[str]] = {}
        self._relatives = {wire for ticker in tickers for wire in relatives_of(ticker).values()}
        self._names_by_root: dict[str, set[str]] = {}
        self._names_by_underlying: dict[str, set[str]] = {}
        for ticker in tickers:
            self._names_by_underlying.setdefault(ticker.underlying, set()).add(ticker.name)
            for wire in (ticker.wire, ticker.future):
                if wire is not None:
                    self._names_by_wire.setdefault(wire, set()).add(ticker.name)
        self._known: dict[str, Spot] = {}
        self._spots: dict[str, Spot] = {}
        self._quotes: dict[str, OptionQuote] = {}
        self._tape = TradeTape()
        self.news = {ticker.name: asyncio.Event() for ticker in tickers}
        self.conflated = 0
        """Prices and quotes that a newer one replaced before they were handed over, or that found no place."""

    @property
    def waiting(self) -> int:
        """Prices and quotes not handed over yet."""
        return len(self._spots) + len(self._quotes)

    def take(self, events: Sequence[StreamEvent]) -> None:
        """Keep what engines need of a batch."""
        for event in events:
            if isinstance(event, TickEvent):
                self._take_tick(event)
            elif isinstance(event, OptionQuote):
                self._take_quote(event)

    def _take_tick(self, tick: TickEvent) -> None:
        names = self._names_by_wire.get(tick.symbol, set())
        if tick.last is None or not (names or tick.symbol in self._relatives):
            return
        self.conflated += tick.symbol in self._spots
        self._spots[tick.symbol] = self._known[tick.symbol] = (tick.symbol, tick.last, tick.event_ms)
        self._tell(names)

    def _take_quote(self, quote: OptionQuote) -> None:
        self._tape.take(quote)
        self.conflated += self._quotes.pop(quote.symbol, None) is not None
        self._quotes[quote.symbol] = quote
        if len(self._quotes) > MOST_WAITING:
            del self._quotes[next(iter(self._quotes))]
            self.conflated += 1
        self._tell(self._names_by_root.get(quote.symbol[:6].rstrip(), ()))

    def loaded(self, underlying: str, receipt: ChainReceipt) -> None:
        """A chain was taken: its roots are known, and once it is whole its tickers have news."""
        names = self._names_by_underlying.get(underlying, set())
        self._names_by_root |= dict.fromkeys(receipt.roots, names)
        if receipt.complete:
            self._tell(names)

    def empty(self) -> Take | None:
        """All that waits, in one order; None when nothing does."""
        if not self.waiting:
            return None
        taken = Take(list(self._spots.values()), list(self._quotes.values()), self._tape.empty())
        self._spots.clear()
        self._quotes.clear()
        return taken

    def repeat_spots(self) -> None:
        """The engines are new: hand over the last known prices again."""
        self._spots = dict(self._known)

    def _tell(self, names: "set[str] | tuple[()]") -> None:
        for name in names:
            self.news[name].set()
