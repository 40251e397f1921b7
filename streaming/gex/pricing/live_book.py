"""A chain kept current: the last poll, with live option quotes laid over it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.clock import epoch_ms
from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.forward import parity_ratios
from streaming.gex.pricing.lines import Lines, renew_lines, sort_lines
from streaming.gex.pricing.priced import ForwardMode, PricedLines
from streaming.gex.pricing.scopes import ScopeSlices, slice_scopes
from streaming.gex.pricing.selection import Selection, select
from streaming.gex.pricing.volatility import BadIv, clean_iv
from streaming.model import OptionChain, OptionQuote

_HIGHEST_VOLUME: Final = 1e12


class LiveBook:
    """Holds one chain's lines with the newest volatility and weights; hands out the selection that counts.

    Forwards stay those of the poll their quotes came from: a live spot must not meet an old option quote.
    """

    def __init__(self, chain: OptionChain, spot: float, forward: ForwardMode, bad_iv: BadIv) -> None:
        self._forward: ForwardMode = forward
        self._bad_iv: BadIv = bad_iv
        self._live: dict[str, OptionQuote] = {}
        self._rows: dict[str, int] | None = None
        self._cut: ScopeSlices | None = None
        self._selection: Selection | None = None
        self._priced: PricedLines | None = None
        self.live_ms = 0
        self.lines = sort_lines(chain)
        self.ratio = self._ratios(spot)
        self._lay(chain)

    @property
    def volume(self) -> Floats:
        """Contracts traded today, by line of the chain."""
        return self._volume

    def replace(self, chain: OptionChain, spot: float) -> None:
        """Take a newer poll; live quotes that are newer still stay on top of it."""
        old, self.lines = self.lines, renew_lines(self.lines, chain)
        relisted = self.lines.symbol is not old.symbol
        same = not relisted or np.array_equal(old.symbol, self.lines.symbol)
        if not same:
            self._rows = None
        if same and not self.lines.open_interest.any():
            # Schwab sends 0 for every contract at times (specs/schwab-wire.md §3.1); yesterday's is still the count.
            self.lines.open_interest[:] = old.open_interest
        fresh = self._ratios(spot)
        self.ratio = self._kept_ratios(old, fresh) if same else fresh
        if relisted:
            self._cut = self._priced = None
        self._lay(chain)

    def apply(self, quotes: Sequence[OptionQuote]) -> None:
        """Lay live quotes over the chain; symbols that it does not list are ignored."""
        rows = self._row_by_symbol()
        for quote in quotes:
            row = rows.get(quote.symbol)
            if row is not None:
                self._live[quote.symbol] = quote
                self._overlay(row, quote)
                self.live_ms = max(self.live_ms, quote.event_ms)
                self._selection = None

    def selection(self, at: datetime) -> Selection:
        """The lines that count now; computed again only when quotes changed or lines settled."""
        if self._cut is None or not self._cut.holds_at(at):
            self._cut, self._selection, self._priced = slice_scopes(self.lines, at), None, None
        if self._selection is None:
            clean = clean_iv(self.lines, self._iv, self._bad_iv)
            weight = np.stack((self._open_interest, self._volume))
            self._selection = select(self.lines, clean, weight, self.ratio, self._cut, last=self._priced)
            self._priced = self._selection.priced
        return self._selection

    def _lay(self, chain: OptionChain) -> None:
        self._iv: Floats = self.lines.iv.copy()
        self._open_interest: Floats = self.lines.open_interest.copy()
        self._volume: Floats = self.lines.volume.copy()
        self._selection = None
        self._live = {
            symbol: quote for symbol, quote in self._live.items() if quote.event_ms > _polled_ms(chain, symbol)
        }
        if self._live:
            self.apply(tuple(self._live.values()))

    def _overlay(self, row: int, quote: OptionQuote) -> None:
        self._iv[row] = self.lines.iv[row] if quote.iv is None else quote.iv
        if quote.volume is not None and self._volume[row] < quote.volume < _HIGHEST_VOLUME:
            self._volume[row] = quote.volume
        if quote.open_interest is not None and 0 < quote.open_interest < _HIGHEST_VOLUME:
            self._open_interest[row] = quote.open_interest

    def _row_by_symbol(self) -> dict[str, int]:
        if self._rows is None:
            self._rows = {symbol: row for row, symbol in enumerate(self.lines.symbol.tolist())}
        return self._rows

    def _ratios(self, spot: float) -> Floats:
        if self._forward == "none":
            return np.full(self.lines.series_start.size, np.nan)
        return parity_ratios(self.lines, spot, self.lines.bid, self.lines.ask)

    def _kept_ratios(self, old: Lines, fresh: Floats) -> Floats:
        """The old ratio of series whose quotes did not change, for those belong to an older spot."""
        if fresh.size == 0 or self._forward == "none":
            return fresh
        moved = _differs(old.bid, self.lines.bid) | _differs(old.ask, self.lines.ask)
        changed = np.logical_or.reduceat(moved, self.lines.series_start)
        return np.where(changed | ~np.isfinite(self.ratio), fresh, self.ratio)


def _polled_ms(chain: OptionChain, symbol: str) -> int:
    """When the chain last heard of a contract, by the date in its 21-character symbol."""
    expiry = date(2000 + int(symbol[6:8]), int(symbol[8:10]), int(symbol[10:12]))
    return chain.polled_ms.get(expiry) or epoch_ms(chain.asof)


def _differs(old: Floats, new: Floats) -> NDArray[np.bool_]:
    differs: NDArray[np.bool_] = (old != new) & ~(np.isnan(old) & np.isnan(new))
    return differs
