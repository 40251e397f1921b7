"""Forwards from put-call parity, one per root and expiry (`specs/gex-method.md` §6)."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import new_york, next_session, session_on
from streaming.gex.pricing.formulas import YEAR_S, Floats
from streaming.gex.pricing.lines import Ints, Lines

NEAREST: Final = 7
_SANE: Final = (0.5, 2.0)
_WIDEST_SHARE: Final = 0.5
_WIDEST: Final = 0.15
_FEWEST_PAIRS: Final = 3
_LEAST_DIVIDEND: Final = 0.001
_OFF: Final = 0.003
_OFF_PER_YEAR: Final = 0.004
"""By what a forward may leave its neighbours', and for each year between these: they know less the farther they are."""


def says_a_price(bid: Floats, ask: Floats) -> NDArray[np.bool_]:
    """Where a quote tells what a contract costs: both sides, uncrossed, at most half of its middle or 0.15 apart."""
    with np.errstate(invalid="ignore"):
        spread = ask - bid
        narrow = spread <= np.maximum(_WIDEST_SHARE * 0.5 * (bid + ask), _WIDEST)
        told: NDArray[np.bool_] = (bid > 0.0) & (spread >= 0.0) & narrow
    return told


def parity_forwards(
    lines: Lines, spot: float, bid: Floats, ask: Floats, *, wanted: NDArray[np.bool_] | None = None
) -> Floats:
    """Median of K + call mid - put mid over the 7 nearest two-sided strikes, per series; NaN without any.

    Crossed quotes and absurd spreads count as none. The difference is not discounted: near the money it is about 0.
    With `wanted`, by series, the others are NaN.
    """
    forwards = np.full(lines.series_start.size, np.nan)
    pairs, mids = _two_sided(lines, bid, ask, wanted)
    if pairs.size == 0 or not spot > 0.0:
        return forwards
    strike = lines.strike[lines.pair_call[pairs]]
    series = lines.pair_series[pairs]
    order = np.lexsort((strike, np.abs(strike - spot), series))
    series, implied = series[order], (strike + mids)[order]
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    forwards[series[starts]] = _medians(series, implied, starts)
    return forwards


def parity_ratios(
    lines: Lines, spot: float, bid: Floats, ask: Floats, *, wanted: NDArray[np.bool_] | None = None
) -> Floats:
    """Forward over spot per series; NaN without a two-sided pair, where it is absurd and where it is not `wanted`."""
    ratios = parity_forwards(lines, spot, bid, ask, wanted=wanted) / (spot if spot > 0.0 else np.nan)
    with np.errstate(invalid="ignore"):
        return np.where((ratios > _SANE[0]) & (ratios < _SANE[1]), ratios, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the forwards of a poll rest on."""

    by_neighbours: NDArray[np.bool_]
    """Series whose own quotes were not believed, for they left the carry of the expiries around."""
    too_wide: NDArray[np.bool_]
    """Lines that are the call of a pair with an absurd spread, which is no evidence."""


def judged(lines: Lines, ratio: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Ratios, those replaced that leave both neighbours' carry to the same side; and which these are.

    The neighbours are the series next in time that have a ratio; a step that the later ones share, such as a dividend,
    is believed. A replaced ratio lies between the neighbours' in proportion to the time.
    """
    known = np.flatnonzero(~np.isnan(ratio))
    off = np.zeros(ratio.size, np.bool_)
    if known.size <= 2:  # noqa: PLR2004  # none of them lies between two others
        return ratio, off
    years, growth = lines.settle_s[lines.series_start[known]] / YEAR_S, np.log(ratio[known])
    gaps, steps = np.diff(years), np.diff(growth)
    carry = float(np.median(steps[gaps > 0.0] / gaps[gaps > 0.0])) if (gaps > 0.0).any() else 0.0
    left = steps[:-1] - carry * gaps[:-1]
    right = carry * gaps[1:] - steps[1:]
    allowed = _OFF + _OFF_PER_YEAR * (gaps[:-1] + gaps[1:])
    bad = (left * right > 0.0) & (np.minimum(np.abs(left), np.abs(right)) > allowed)
    places = 1 + np.flatnonzero(bad)
    kept = np.setdiff1d(np.arange(known.size), places)
    off[known[places]] = True
    replaced = ratio.copy()
    replaced[known[places]] = np.exp(np.interp(years[places], years[kept], growth[kept]))
    return replaced, off


def dividend_ahead(lines: Lines, ratio: Floats, at: datetime, *, declared: date | None = None) -> float | None:
    """By which share of spot the forward falls to that of the next session's expiry, from 0.1 %; None for less.

    So much in a day is no interest: the underlying goes without a dividend then, and calls deep in the money of a chain
    of American style are exercised before (`specs/gex-method.md` §7). It falls from that of the series before; without
    one from spot, which is of the same moment as the quotes only while there is a session. None where the day
    `declared` is a later one.
    """
    day = next_session(new_york(at).date()).date
    if declared is not None and declared > day:
        return None
    days = lines.dates[lines.date_code[lines.series_start]]
    own, before = (ratio[of & np.isfinite(ratio)] for of in (days == np.datetime64(day), days < np.datetime64(day)))
    if not own.size or not (before.size or _is_in_session(at)):
        return None
    share = (float(before[-1]) if before.size else 1.0) - float(own[0])
    return share if share > _LEAST_DIVIDEND else None


def _is_in_session(at: datetime) -> bool:
    session = session_on(new_york(at).date())
    return session is not None and session.open_at <= at < session.close_at


def too_wide(lines: Lines) -> NDArray[np.bool_]:
    """Calls of pairs that are quoted on all four sides, uncrossed, and yet say no price."""
    with np.errstate(invalid="ignore"):
        quoted = (lines.bid > 0.0) & (lines.ask >= lines.bid) & np.isfinite(lines.ask)
    told = says_a_price(lines.bid, lines.ask)
    pairs = np.flatnonzero((lines.pair_call >= 0) & (lines.pair_put >= 0))
    calls, puts = lines.pair_call[pairs], lines.pair_put[pairs]
    wide = np.zeros(len(lines), np.bool_)
    wide[calls] = quoted[calls] & quoted[puts] & ~(told[calls] & told[puts])
    return wide


def nearest_quoted(lines: Lines, first_row: int) -> Ints:
    """Pairs of the first living series in which any has a call and a put whose quotes both say a price.

    Series by series, for the first one nearly always does, and a chain has fifty.
    """
    first = int(np.searchsorted(lines.series_start, first_row))
    edges = np.searchsorted(lines.pair_series, np.arange(first, lines.series_start.size + 1)).tolist()
    for low, high in pairwise(edges):
        calls, puts = lines.pair_call[low:high], lines.pair_put[low:high]
        listed = np.flatnonzero((calls >= 0) & (puts >= 0))
        rows = np.stack((calls[listed], puts[listed]))
        quoted: Ints = low + listed[says_a_price(lines.bid[rows], lines.ask[rows]).all(axis=0)]
        if quoted.size:
            return quoted
    return np.zeros(0, np.int64)


def implied_spot(lines: Lines) -> float:
    """What the nearest series says that the underlying costs, where nothing else does; NaN when it does not say.

    Median of K + call mid - put mid over its 7 pairs nearest to the money, of 3 at least.
    """
    pairs, mids = _two_sided(lines, lines.bid, lines.ask, None)
    of_series = lines.pair_series[pairs]
    first = of_series == of_series.min(initial=lines.series_start.size)
    if np.count_nonzero(first) < _FEWEST_PAIRS:
        return float("nan")
    implied = (lines.strike[lines.pair_call[pairs]] + mids)[first]
    return float(np.median(implied[np.argsort(np.abs(mids[first]), kind="stable")[:NEAREST]]))


def _two_sided(lines: Lines, bid: Floats, ask: Floats, wanted: NDArray[np.bool_] | None) -> tuple[Ints, Floats]:
    """Pairs whose call and put both have a quote that says a price, and call mid - put mid of each."""
    has_both = (lines.pair_call >= 0) & (lines.pair_put >= 0)
    pairs = np.flatnonzero(has_both if wanted is None else has_both & wanted[lines.pair_series])
    calls, puts = lines.pair_call[pairs], lines.pair_put[pairs]
    quoted = says_a_price(bid, ask)
    both = quoted[calls] & quoted[puts]
    calls, puts = calls[both], puts[both]
    mids: Floats = 0.5 * ((bid[calls] + ask[calls]) - (bid[puts] + ask[puts]))
    return pairs[both], mids


def _medians(series: Ints, values: Floats, starts: Ints) -> Floats:
    """Median of the first 7 values of each run."""
    run = np.cumsum(np.diff(series, prepend=-1) != 0) - 1
    rank = np.arange(values.size) - starts[run]
    near = rank < NEAREST
    table = np.full((starts.size, NEAREST), np.inf)
    table[run[near], rank[near]] = values[near]
    table.sort(axis=1)
    count = np.minimum(np.diff(starts, append=values.size), NEAREST)
    rows = np.arange(starts.size)
    median: Floats = 0.5 * (table[rows, (count - 1) // 2] + table[rows, count // 2])
    return median
