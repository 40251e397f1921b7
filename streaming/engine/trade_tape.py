"""Who began the trades of streamed options, as far as quotes tell: each rise of a volume by last against bid and ask.

Pure. It looks at every quote before the inbox keeps only the newest of a symbol (`specs/gex-method.md` §24).
"""

from typing import Final

from streaming.model import OptionQuote, OptionTrades

MOST_LINES: Final = 4096
"""Options whose volume is remembered; with more, whoever was silent longest is forgotten."""
MOST_WAITING: Final = 8192
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
            if len(self._waiting) > MOST_WAITING:
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
