"""The time that a feed's volatilities were solved with, and what they are on our clock (`specs/gex-method.md` §5)."""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats, Real, years_to_expiry
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.volatility import StrikeQuotes, is_usable

_NEAR: Final = 1.3
"""In deviations from the forward: there prices tell volatilities best."""
_FEWEST: Final = 3
_WIDEST: Final = 0.03
"""Of the middle half of what an expiry's strikes say, relative to their median, as volatilities."""
_ROOT_WIDTH: Final = 6


def measured_ends(lines: Lines, measured: Mapping[tuple[str, date], float]) -> Floats:
    """When the feed's time ends by its own greeks, epoch seconds per series; NaN where they do not say."""
    roots = (str(symbol)[:_ROOT_WIDTH].rstrip() for symbol in lines.symbol[lines.series_start])
    days = lines.dates[lines.date_code[lines.series_start]].tolist()
    found = [measured.get(name, np.nan) for name in zip(roots, days, strict=True)]
    ends: Floats = np.array(found, np.float64)
    return ends


class QuotedEnds:
    """`quoted_ends`, of which the series keep what was found that say what they said before."""

    def __init__(self) -> None:
        self._said: _Said | None = None

    def of(self, lines: Lines, quotes: StrikeQuotes, forward: Floats, at_s: Floats) -> Floats:
        """The ends by series, which nobody may change."""
        last = self._said
        wanted = None if last is None or last.symbol is not lines.symbol else last.changed(lines, quotes, forward, at_s)
        ends = quoted_ends(lines, quotes, forward, at_s, wanted=wanted)
        if last is not None and wanted is not None:
            ends = np.where(wanted, ends, last.ends)
        sigma, call_counts = quotes.sigma.copy(), quotes.call_counts.copy()
        self._said = _Said(lines.symbol, lines.iv, sigma, call_counts, forward, at_s, ends)
        return ends


class _Said(NamedTuple):
    """What ends were found from."""

    symbol: NDArray[np.str_]
    iv: Floats
    sigma: Floats
    call_counts: NDArray[np.bool_]
    forward: Floats
    at_s: Floats
    ends: Floats

    def changed(self, lines: Lines, quotes: StrikeQuotes, forward: Floats, at_s: Floats) -> NDArray[np.bool_]:
        """Which series say anything else by now; the same contracts must be listed."""
        changed: NDArray[np.bool_] = (forward != self.forward) | (at_s != self.at_s)
        changed[lines.series[_differ(lines.iv, self.iv)]] = True
        pairs = _differ(quotes.sigma, self.sigma) | (quotes.call_counts != self.call_counts)
        changed[lines.pair_series[pairs]] = True
        return changed


def _differ(one: Floats, other: Floats) -> NDArray[np.bool_]:
    """Where two columns say different things; NaN is like NaN."""
    differ: NDArray[np.bool_] = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return differ


def quoted_ends(
    lines: Lines, quotes: StrikeQuotes, forward: Floats, at_s: Floats, *, wanted: NDArray[np.bool_] | None = None
) -> Floats:
    """The same by prices: where those of an expiry agree how far the feed's volatilities are from theirs.

    `forward` (points) and `at_s` (when quotes were live) are by series. With `wanted`, by series, the others are NaN.
    """
    pairs, ratio = _ratios(lines, quotes, forward, at_s, wanted)
    series = lines.pair_series[pairs]
    order = np.lexsort((ratio, series))
    series, ratio = series[order], ratio[order]
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    count = np.diff(starts, append=series.size)
    low, middle, high = (ratio[starts + (count - 1) * quarter // 4] for quarter in (1, 2, 3))
    agree = (count >= _FEWEST) & (high - low <= _WIDEST * middle)
    ends = np.full(lines.series_start.size, np.nan)
    told = series[starts[agree]]
    left_s = lines.settle_s[lines.series_start[told]] - at_s[told]
    ends[told] = at_s[told] + left_s * middle[agree] ** 2
    return ends


def _ratios(
    lines: Lines, quotes: StrikeQuotes, forward: Floats, at_s: Floats, wanted: NDArray[np.bool_] | None
) -> tuple[Ints, Floats]:
    """Pairs near the money whose counting side has a price and a volatility of the feed: theirs over the feed's."""
    rows = np.where(quotes.call_counts, lines.pair_call, lines.pair_put)
    told = (rows >= 0) & ~np.isnan(quotes.sigma)
    pairs = np.flatnonzero(told if wanted is None else told & wanted[lines.pair_series])
    pairs = pairs[is_usable(lines.iv[rows[pairs]])]
    rows, series = rows[pairs], lines.pair_series[pairs]
    total = quotes.sigma[pairs] * np.sqrt(years_to_expiry(lines.settle_s[rows], at_s[series]))
    near = np.abs(np.log(lines.strike[rows] / forward[series])) <= _NEAR * total
    pairs, rows = pairs[near], rows[near]
    ratio: Floats = quotes.sigma[pairs] / lines.iv[rows]
    return pairs, ratio


def on_our_clock(end_s: Floats, settle_s: Floats, at_s: Real) -> Floats:
    """By what a volatility of the feed is multiplied that was solved at `at_s`: √(its time / ours); 1 where unknown."""
    factor = np.sqrt(years_to_expiry(end_s, at_s) / years_to_expiry(settle_s, at_s))
    return np.where(np.isnan(factor), 1.0, factor)
