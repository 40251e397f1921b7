"""NYSE_BOOK, NASDAQ_BOOK and OPTIONS_BOOK: every venue's own best quote, grouped by price.

See specs/schwab-wire.md §2.12.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from math import floor
from typing import Any, Final, Literal

import numpy as np

from streaming.calendar import new_york
from streaming.sim.stream.numbered_rows import Row, only
from streaming.sim.world.market import Market

BookService = Literal["NYSE_BOOK", "NASDAQ_BOOK", "OPTIONS_BOOK"]
_CONSOLIDATED: Final = (
    *("ARCX", "NYSE", "NSDQ", "EDGX", "BATX", "IEXG", "MEMX", "MIAX"),
    *("PHLX", "BATY", "EDGA", "AMEX", "CINN", "MWSE", "BOSX"),
)
_NASDAQ_LISTED: Final = (
    *("NSDQ", "batx", "arcx", "iexg", "edgx", "nyse", "miax", "memx"),
    *("baty", "edga", "mwse", "phlx", "ETMM", "JPMS", "GSCO"),
)
_NASDAQ_ONLY: Final = ("NSDQ", "ETMM", "JPMS", "GSCO", "MAXM")
_OPTION_VENUES: Final = (
    *("CBOE", "NYSE", "EDGX", "BATS", "MEMX", "BOSX", "S", "ISEX"),
    *("PHLX", "GMNI", "AMEX", "MERC", "MIAX"),
)
_STUBS: Final = frozenset({"ETMM", "JPMS", "GSCO", "MAXM", "CINN", "BOSX"})
_PRIME: Final = 1_000_003


@dataclass(frozen=True, slots=True)
class BookRows:
    """One book service. Every row is the whole book; futures and indexes have none."""

    market: Market
    service: BookService

    def fixed(self, key: str) -> Row | None:
        """Books have no other fields than the book itself."""
        return {} if self._tops((key,)) else None

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        midnight = new_york(self.market.now).replace(hour=0, minute=0, second=0, microsecond=0)
        midnight_ms = int(midnight.timestamp()) * 1000
        return {key: only(self._book(key, midnight_ms, *top), fields) for key, top in self._tops(keys).items()}

    def _tops(self, keys: Sequence[str]) -> dict[str, tuple[float, float, float]]:
        """(bid, ask, tick) of the keys that this book covers."""
        if self.service == "OPTIONS_BOOK":
            return self._option_tops(keys)
        tapes = ((key, self.market.tape(key)) for key in keys)
        shares = ((key, tape) for key, tape in tapes if tape is not None and tape.kind == "share")
        return {key: (tape.bid, tape.ask, tape.tick) for key, tape in shares}

    def _option_tops(self, keys: Sequence[str]) -> dict[str, tuple[float, float, float]]:
        tops: dict[str, tuple[float, float, float]] = {}
        for board, rows in self.market.boards_of_options(keys).values():
            quotes = board.quotes(np.array(rows))
            tick = 0.05 if board.underlying.is_index else 0.01
            best = zip(rows, quotes.bid.tolist(), quotes.ask.tolist(), strict=True)
            tops |= {board.lines.symbol[row]: (bid, ask, tick) for row, bid, ask in best}
        return tops

    def _venues(self, key: str) -> tuple[str, ...]:
        if self.service == "OPTIONS_BOOK":
            return _OPTION_VENUES
        if self.service == "NYSE_BOOK":
            return _CONSOLIDATED
        item = self.market.listed(key)
        return _NASDAQ_LISTED if item is not None and item.exchange == "Q" else _NASDAQ_ONLY

    def _book(self, key: str, midnight_ms: int, bid: float, ask: float, tick: float) -> Row:
        second = self.market.now_ms // 1000
        snap_ms = self.market.now_ms - 100 - second * 37 % 400
        clock_ms = snap_ms - midnight_ms
        seed = hash_of(key) + second
        venues = self._venues(key)
        unit = 1 if self.service == "OPTIONS_BOOK" else 40
        return {
            "1": snap_ms,
            "2": _side(venues, seed, best=bid, tick=-tick, unit=unit, clock_ms=clock_ms),
            "3": _side(venues, seed + 7, best=ask, tick=tick, unit=unit, clock_ms=clock_ms),
        }


@lru_cache(maxsize=1 << 14)
def hash_of(key: str) -> int:
    """A number fixed by the text, the same in every process."""
    value = 0
    for char in key:
        value = (value * 131 + ord(char)) % _PRIME
    return value


def _side(
    venues: Sequence[str], seed: int, *, best: float, tick: float, unit: int, clock_ms: int
) -> list[dict[str, Any]]:
    """Levels of one side, best first; every venue once, its entries largest first."""
    if best <= 0.0:
        return []
    quotes = []
    for i, venue in enumerate(venues):
        noise = (seed + i * 7919) * 48271 % 2147483647
        away = floor((noise % 1000 / 1000.0) ** 3 * 6.0) if i else 0
        away += 200 if venue in _STUBS and noise % 3 == 0 else 0
        price = round(best + away * tick, 2)
        if price > 0.0:
            quotes.append((price, unit * (1 + noise // 1000 % 12), venue, clock_ms - noise // 7 % 900))
    quotes.sort(key=lambda quote: (quote[0] if tick > 0 else -quote[0], -quote[1]))
    return [_level(price, list(group)) for price, group in groupby(quotes, key=lambda quote: quote[0])]


def _level(price: float, quotes: list[tuple[float, int, str, int]]) -> dict[str, Any]:
    entries = [{"0": venue, "1": size, "2": at_ms} for _, size, venue, at_ms in quotes]
    return {"0": price, "1": sum(size for _, size, _, _ in quotes), "2": len(entries), "3": entries}
