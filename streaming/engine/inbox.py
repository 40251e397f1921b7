"""What waits to be handed to the engines: the newest of each symbol, which tickers it concerns, and what was traded.

Pure. Trades are told from every quote before only the newest of a symbol is kept: each rise of a volume by last against
bid and ask (`specs/gex-method.md` §24).
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from streaming.engine.protocol import ChainReceipt, Spot, Take
from streaming.gex.points.point_views import relatives_of
from streaming.model import OptionQuote, OptionTrades, TickEvent
from streaming.ports import StreamEvent
from streaming.symbols import Ticker

MOST_WAITING: Final = 16_384
"""Option quotes, three times what anybody streams; with more, the oldest is dropped."""


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
        self._spots[tick.symbol] = self._known[tick.symbol] = (tick.symbol, tick.last, tick.event_ms)
        self._tell(names)

    def _take_quote(self, quote: OptionQuote) -> None:
        self._tape.take(quote)
        self._quotes.pop(quote.symbol, None)
        self._quotes[quote.symbol] = quote
        if len(self._quotes) > MOST_WAITING:
            del self._quotes[next(iter(self._quotes))]
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


MOST_LINES: Final = MOST_WAITING
"""Options whose volume is remembered; with more, whoever was silent longest is forgotten. Were fewer remembered than
are streamed, each would be forgotten before it came again."""
MOST_MINUTES: Final = 2 * MOST_LINES
"""Minutes of options not handed over yet; with more, the oldest is lost."""
_MOST_AT_ONCE: Final = 10_000_000
"""Contracts in one update; a larger rise is a volume that was wrong before or is now."""
_MINUTE_MS: Final = 60_000
_Counts = list[int]
"""Bought, sold, unsure."""


class TradeTape:
    """Sums the contracts of each option and minute until they are handed over.

    What was traded while nobody looked is no rise: after a gap the first image only says where the volume stands.
    """

    def __init__(self) -> None:
        self._volumes: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], _Counts] = {}

    def take(self, quote: OptionQuote) -> None:
        """Count what was traded since the last quote of the option; a volume that fell is another day's."""
        symbol, volume = quote.symbol, quote.volume
        before = self._volumes.pop(symbol, None)
        if volume is None:
            if before is not None and not quote.fresh:
                self._volumes[symbol] = before
            return
        self._volumes[symbol] = volume
        if len(self._volumes) > MOST_LINES:
            del self._volumes[next(iter(self._volumes))]
        if before is not None and not quote.fresh and 0 < volume - before <= _MOST_AT_ONCE:
            self._count(quote, volume - before)

    def empty(self) -> list[OptionTrades]:
        """All that waits."""
        traded = [OptionTrades(symbol, minute_ms, *counts) for (symbol, minute_ms), counts in self._waiting.items()]
        self._waiting.clear()
        return traded

    def _count(self, quote: OptionQuote, contracts: int) -> None:
        place = quote.symbol, quote.event_ms // _MINUTE_MS * _MINUTE_MS
        counts = self._waiting.get(place)
        if counts is None:
            counts = self._waiting[place] = [0, 0, 0]
            if len(self._waiting) > MOST_MINUTES:
                del self._waiting[next(iter(self._waiting))]
        counts[_side(quote.last, quote.bid, quote.ask)] += contracts


def _side(last: float | None, bid: float | None, ask: float | None) -> int:
    """0 where the buyer came to the ask, 1 where the seller came to the bid, 2 where nobody can tell.

    Between them the nearer side; a locked or crossed market says nothing.
    """
    if last is None or (bid is not None and ask is not None and bid >= ask):
        return 2
    if ask is not None and last >= ask:
        return 0
    if bid is not None and last <= bid:
        return 1
    if bid is None or ask is None or last + last == bid + ask:
        return 2
    return 0 if last + last > bid + ask else 1
