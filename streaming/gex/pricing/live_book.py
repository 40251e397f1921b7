"""A chain kept current: the last poll, with live option quotes laid over it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Generic, TypeVar

import numpy as np

from streaming.clock import epoch_ms
from streaming.gex.pricing.feed_clock import QuotedEnds, measured_ends, on_our_clock
from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.forward import Evidence, judged, nearest_quoted, parity_ratios, too_wide
from streaming.gex.pricing.lines import Ints, Lines, renew_lines, sort_lines
from streaming.gex.pricing.priced import ForwardMode, PricedStrikes
from streaming.gex.pricing.quality import Shares, qualities
from streaming.gex.pricing.scopes import ScopeSlices, slice_scopes
from streaming.gex.pricing.selection import Position, Selection, held_positions, positioned, select, traded_positions
from streaming.gex.pricing.volatility import (
    BadIv,
    Bools,
    CleanIv,
    StrikeQuotes,
    by_line,
    by_strike,
    quoted_sigma,
    strike_quotes,
)
from streaming.model import OptionQuote, ScopeFigures, ScopeName, VolatilityRule
from streaming.option_chain import OptionChain

_HIGHEST_VOLUME: Final = 1e12
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a chain is priced where the field has no agreement (`specs/gex-method.md` §6, §7)."""

    forward: ForwardMode = "parity"
    volatility: VolatilityRule = "quotes"
    bad_iv: BadIv = "mirror"
    """What replaces an unusable volatility by the rule `line`."""


_Live = tuple[OptionQuote, float]
"""A streamed quote, and what the underlying cost when it came."""


class _Kept(Generic[Value]):
    """What was made last, for as long as it would be made of the same objects."""

    def __init__(self) -> None:
        self._of: tuple[object, ...] = ()
        self._made: list[Value] = []

    def of(self, make: Callable[[], Value], *objects: object) -> Value:
        """What `make` makes of these objects, which nobody may change."""
        if not self._made or any(one is not other for one, other in zip(objects, self._of, strict=True)):
            self._made, self._of = [make()], objects
        return self._made[0]


class LiveBook:
    """Holds one chain's lines with the newest volatility and weights; hands out the selection that counts.

    Forwards stay those of the poll their quotes came from: a live spot must not meet an old option quote. So do the
    volatilities that quotes say; as a fraction per year they stand still while σ·√T shrinks with our clock.
    """

    def __init__(self, chain: OptionChain, spot: float, conventions: Conventions) -> None:
        self._conventions = conventions
        self._live: dict[str, _Live] = {}
        self._rows: dict[str, int] | None = None
        self._cut: ScopeSlices | None = None
        self._selection: Selection | None = None
        self._priced: PricedStrikes | None = None
        self._quoted: Ints | None = None
        self._weight: _Kept[Floats] = _Kept()
        self._shares = Shares()
        self._held: _Kept[dict[ScopeName, Position]] = _Kept()
        self._traded: _Kept[dict[ScopeName, float | None]] = _Kept()
        self._ends = QuotedEnds()
        self._quality: _Kept[dict[ScopeName, ScopeFigures]] = _Kept()
        self._cleaned: CleanIv | None = None
        self._touched: list[Ints] = []
        """The pairs of which anything was heard since."""
        self.live_ms = 0
        self.lines = sort_lines(chain)
        self._open_interest: Floats = self.lines.open_interest
        self._volume: Floats = self.lines.volume
        self._take_new(chain, spot)
        self._lay(chain)

    @property
    def volume(self) -> Floats:
        """Contracts traded today, by line of the chain."""
        return self._volume

    def replace(self, chain: OptionChain, spot: float) -> None:
        """Take a newer poll; live quotes that are newer still stay on top of it."""
        old, self.lines = self.lines, renew_lines(self.lines, chain)
        relisted = self.lines.symbol is not old.symbol
        if not relisted or np.array_equal(old.symbol, self.lines.symbol):
            self._take_same(old, chain, spot)
        else:
            self._rows = None
            self._take_new(chain, spot)
        if relisted:
            self._cut = self._priced = None
        self._lay(chain)

    def _take_new(self, chain: OptionChain, spot: float) -> None:
        self._own_ratio = self._ratios(spot)
        self._judge()
        self._forward = _points(self.ratio, spot)
        self._polled = self._said(chain, np.arange(self.lines.pair_call.size))

    def _take_same(self, old: Lines, chain: OptionChain, spot: float) -> None:
        """The same contracts again: a series whose quotes did not change keeps what was found at its own spot."""
        if not self.lines.open_interest.any():
            # Schwab sends 0 for every contract at times (specs/schwab-wire.md §3.1); yesterday's is still the count.
            self.lines = replace(self.lines, open_interest=old.open_interest)
        if not len(self.lines):
            return
        changed = _changed_series(old, self.lines) | np.isnan(self._forward)
        sought = changed | np.isnan(self._own_ratio)
        self._own_ratio = np.where(sought, self._ratios(spot, sought), self._own_ratio)
        self._judge()
        self._forward = np.where(changed, _points(self.ratio, spot), self._forward)
        pairs = np.flatnonzero(changed[self.lines.pair_series])
        said = self._said(chain, pairs)
        self._polled.sigma[pairs], self._polled.call_counts[pairs] = said.sigma, said.call_counts

    def _judge(self) -> None:
        self.ratio, off = judged(self.lines, self._own_ratio)
        self._evidence = Evidence(off, too_wide(self.lines))

    def apply(self, quotes: Sequence[OptionQuote], spot: float) -> None:
        """Lay live quotes over the chain, that came at a `spot`; symbols that it does not list are ignored."""
        self._overlay([(quote, spot) for quote in quotes])

    def selection(self, at: datetime) -> Selection:
        """The lines that count now; computed again only when quotes changed or lines settled."""
        if self._cut is None or not self._cut.holds_at(at):
            self._cut, self._selection, self._priced, self._quoted = slice_scopes(self.lines, at), None, None, None
        if self._selection is None:
            self._selection = self._select(self.lines, self._cut)
            self._priced = self._selection.priced
        return self._selection

    def _select(self, lines: Lines, cut: ScopeSlices) -> Selection:
        clean = self._clean()
        held, traded = self._open_interest, self._volume
        weight = self._weight.of(lambda: np.stack((held, traded)), held, traded)
        quality = self._quality.of(
            lambda: positioned(
                qualities(lines, clean, weight, self.ratio, cut, evidence=self._evidence, shares=self._shares),
                (
                    self._held.of(lambda: held_positions(lines, held, cut), held, cut),
                    self._traded.of(lambda: traded_positions(lines, traded, cut), traded, cut),
                ),
            ),
            *(clean.bad, clean.code, clean.quoted, clean.apart, weight, self.ratio, self._evidence, cut),
        )
        return select(lines, clean, weight, self.ratio, cut, last=self._priced, quality=quality)

    def nearest_quoted(self) -> Ints:
        """The pairs of the nearest series with quotes, after `selection`."""
        if self._quoted is None:
            self._quoted = nearest_quoted(self.lines, 0 if self._cut is None else self._cut.start)
        return self._quoted

    def _clean(self) -> CleanIv:
        if self._conventions.volatility == "line":
            return by_line(self.lines, self._iv, self._conventions.bad_iv)
        pairs = np.unique(np.concatenate(self._touched)) if self._touched else None
        self._cleaned = by_strike(self.lines, self._iv, self._factor, self._quotes, last=self._cleaned, pairs=pairs)
        self._touched.clear()
        return self._cleaned

    def _said(self, chain: OptionChain, pairs: Ints) -> StrikeQuotes:
        """What a poll's quotes say of some pairs."""
        said = strike_quotes(self.lines, self._forward, _quoted_s(self.lines, chain), pairs)
        if self._conventions.volatility != "quotes":
            said.sigma[:] = np.nan
        return said

    def _lay(self, chain: OptionChain) -> None:
        quoted_s = _quoted_s(self.lines, chain)
        feed_end_s = self._feed_ends(chain, quoted_s)
        factor = on_our_clock(feed_end_s, self.lines.settle_s[self.lines.series_start], quoted_s)
        self._feed_end_s, self._factor = feed_end_s[self.lines.series], factor[self.lines.series]
        self._iv: Floats = self.lines.iv.copy()
        self._open_interest = _same_or(self._open_interest, self.lines.open_interest)
        self._volume = _same_or(self._volume, self.lines.volume)
        self._quotes = StrikeQuotes(self._polled.sigma.copy(), self._polled.call_counts.copy())
        self._selection = self._quoted = self._cleaned = None
        newer = [live for symbol, live in self._live.items() if live[0].event_ms > _polled_ms(chain, symbol)]
        self._live = {}
        if newer:
            self._overlay(newer)

    def _feed_ends(self, chain: OptionChain, quoted_s: Floats) -> Floats:
        """When the feed's time ends, by series: by its greeks, else by prices where those count, else unknown."""
        ends = measured_ends(self.lines, chain.vendor_end_s)
        if self._conventions.volatility == "quotes":
            by_prices = self._ends.of(self.lines, self._polled, self._forward, quoted_s)
            ends = np.where(np.isnan(ends), by_prices, ends)
        return ends

    def _overlay(self, lives: Sequence[_Live]) -> None:
        by_symbol = self.rows_by_symbol()
        found = [by_symbol.get(quote.symbol, -1) for quote, _ in lives]
        known = [live for live, row in zip(lives, found, strict=True) if row >= 0]
        if not known:
            return
        rows, quotes = np.array([row for row in found if row >= 0], np.intp), [quote for quote, _ in known]
        self._live.update(zip([quote.symbol for quote in quotes], known, strict=True))
        event_ms = [quote.event_ms for quote in quotes]
        self.live_ms = max(self.live_ms, *event_ms)
        at_s = np.array(event_ms, np.float64) / 1000.0
        self._selection = None
        self._touched.append(self.lines.pair[rows])
        self._overlay_weights(rows, quotes)
        self._overlay_clocks(rows, quotes, at_s)
        if self._conventions.volatility == "quotes":
            self._overlay_prices(rows, quotes, np.array([spot for _, spot in known]), at_s)

    def _overlay_weights(self, rows: Ints, quotes: Sequence[OptionQuote]) -> None:
        """An array that changes becomes another: so what is made of the one before is known to be old."""
        volume = np.array([quote.volume for quote in quotes], np.float64)
        more = (volume > self._volume[rows]) & (volume < _HIGHEST_VOLUME)
        if more.any():
            self._volume = self._volume.copy()
            np.maximum.at(self._volume, rows[more], volume[more])
        held = np.array([quote.open_interest for quote in quotes], np.float64)
        told = (held > 0.0) & (held < _HIGHEST_VOLUME)
        if (held[told] != self._open_interest[rows[told]]).any():
            self._open_interest = self._open_interest.copy()
            self._open_interest[rows[told]] = held[told]

    def _overlay_clocks(self, rows: Ints, quotes: Sequence[OptionQuote], at_s: Floats) -> None:
        """The feed's volatilities with the clock of their instant; a quote without one leaves the poll's."""
        told = np.array([quote.iv is not None for quote in quotes], np.bool_)
        iv = np.array([quote.iv for quote in quotes], np.float64)
        self._iv[rows] = np.where(told, iv, self.lines.iv[rows])
        rows = rows[told]
        self._factor[rows] = on_our_clock(self._feed_end_s[rows], self.lines.settle_s[rows], at_s[told])

    def _overlay_prices(self, rows: Ints, quotes: Sequence[OptionQuote], spot: Floats, at_s: Floats) -> None:
        """What live quotes say; those in the money say nothing, and those without both prices leave what was said."""
        bid = np.array([quote.bid for quote in quotes], np.float64)
        ask = np.array([quote.ask for quote in quotes], np.float64)
        ratio = self.ratio[self.lines.series[rows]]
        forward = np.where(np.isnan(ratio), 1.0, ratio) * spot
        is_call = self.lines.is_call[rows]
        told = ~np.isnan(bid + ask) & ((self.lines.strike[rows] >= forward) == is_call)
        rows, pairs = rows[told], self.lines.pair[rows[told]]
        self._quotes.sigma[pairs] = quoted_sigma(self.lines, rows, (bid[told], ask[told]), forward[told], at_s[told])
        self._quotes.call_counts[pairs] = is_call[told]

    def rows_by_symbol(self) -> dict[str, int]:
        """At which line each contract stands."""
        if self._rows is None:
            self._rows = {symbol: row for row, symbol in enumerate(self.lines.symbol.tolist())}
        return self._rows

    def _ratios(self, spot: float, wanted: Bools | None = None) -> Floats:
        if self._conventions.forward == "none":
            return np.full(self.lines.series_start.size, np.nan)
        return parity_ratios(self.lines, spot, self.lines.bid, self.lines.ask, wanted=wanted)


def _same_or(before: Floats, now: Floats) -> Floats:
    """The array of before where the new one says the same."""
    return before if np.array_equal(before, now) else now


def _points(ratio: Floats, spot: float) -> Floats:
    """Forwards in points, NaN without a spot."""
    points: Floats = np.where(np.isnan(ratio), 1.0, ratio) * (spot if spot > 0.0 else np.nan)
    return points


def _changed_series(old: Lines, new: Lines) -> Bools:
    """Which series have any other bid or ask than before; both must list the same contracts."""
    moved = _differs(old.bid, new.bid) | _differs(old.ask, new.ask)
    changed: Bools = np.logical_or.reduceat(moved, new.series_start)
    return changed


def _quoted_s(lines: Lines, chain: OptionChain) -> Floats:
    """When the quotes of each series were live, epoch seconds."""
    by_date = [chain.polled_ms.get(day) or epoch_ms(chain.asof) for day in lines.dates.tolist()]
    quoted: Floats = np.array(by_date, np.float64)[lines.date_code[lines.series_start]] / 1000.0
    return quoted


def _polled_ms(chain: OptionChain, symbol: str) -> int:
    """When the chain last heard of a contract, by the date in its 21-character symbol."""
    expiry = date(2000 + int(symbol[6:8]), int(symbol[8:10]), int(symbol[10:12]))
    return chain.polled_ms.get(expiry) or epoch_ms(chain.asof)


def _differs(old: Floats, new: Floats) -> Bools:
    differs: Bools = (old != new) & ~(np.isnan(old) & np.isnan(new))
    return differs
