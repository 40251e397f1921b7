"""Priced strikes: what is left of a chain once settled, unpriceable and weightless lines are gone."""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, years_to_expiry
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.spans import Pieces, span_of
from streaming.gex.pricing.volatility import CleanIv
from streaming.model import SCOPES, ScopeName

MULTIPLIER: Final = 100.0
PER_CENT: Final = 0.01
ForwardMode = Literal["parity", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class PricedStrikes:
    """Parallel arrays of what counts, an entry for each series, strike and volatility, series after series.

    Call and put of one volatility are one entry, for they share gamma, vanna and charm; the rule `line` may price them
    apart, and then they are two. `log_ratio` is ln(forward / spot). `scopes` are slices into these arrays.
    """

    rows: NDArray[np.intp]
    """The lines of the chain that count, ascending."""
    pair: Ints
    """Of each of those: its call and put."""
    entry: Ints
    """Of each of those: the entry that it is a side of."""
    weight: Floats
    """What they were selected by, and which lines of the chain had a volatility then."""
    has_iv: NDArray[np.bool_]
    settle_s: Floats
    strike: Floats
    log_strike: Floats
    log_ratio: Floats
    iv: Floats
    held: Floats
    """Contracts, shape (2, 2, entries): by open interest and by volume, of puts and of calls."""
    net: Floats
    """Calls less puts, shape (2, entries)."""
    strike_code: Ints
    date_code: Ints
    date_start: Ints
    """First entry of each date that has any."""
    series: Ints
    sizes: Ints
    """How many entries each series with any has, and when these settle: they are one after another."""
    ends_s: Floats
    scopes: dict[ScopeName, slice]
    pieces: Pieces
    """Of the scopes."""
    cell: Ints
    """Of puts, then of calls: the place of each in a table of pieces, sides and strikes."""

    def __len__(self) -> int:
        return int(self.strike.size)

    def years_at(self, at_s: float) -> Floats:
        """What each entry has left at an instant, in years; worked out once a series."""
        years: Floats = years_to_expiry(self.ends_s, at_s).repeat(self.sizes)
        return years

    def deviation_at(self, at_s: float) -> Floats:
        """σ·√T of each entry at an instant."""
        deviation: Floats = np.sqrt(years_to_expiry(self.ends_s, at_s)).repeat(self.sizes)
        deviation *= self.iv
        return deviation

    def places_of(self, lines: NDArray[np.intp]) -> tuple[Ints, NDArray[np.bool_]]:
        """The entries of some lines of the chain, and whether they have one; the others stand at any."""
        if self.rows.size == 0:
            return lines, np.zeros(lines.size, np.bool_)
        place = np.minimum(np.searchsorted(self.rows, lines), self.rows.size - 1)
        return self.entry[place], self.rows[place] == lines


def select_priced(
    lines: Lines,
    clean: CleanIv,
    weight: Floats,
    ratio: Floats,
    cut: ScopeSlices,
    *,
    last: PricedStrikes | None = None,
) -> PricedStrikes:
    """The living lines that have a volatility and any weight.

    `weight` has shape (2, lines); `ratio` is forward over spot per series, NaN meaning 1. When the same rows count as
    in `last`, which must be of the same contracts and cut, only volatilities, weights and forwards are taken anew; with
    the same array of weights these are not looked at.
    """
    has_iv = ~np.isnan(clean.iv)
    log_ratio = np.log(np.where(np.isfinite(ratio), ratio, 1.0))
    if last is not None and last.weight is weight and np.array_equal(has_iv, last.has_iv):
        rows, iv = last.rows, clean.iv[last.rows]
        starts, entry = _entries(last.pair, iv)
        if np.array_equal(entry, last.entry):
            return replace(last, iv=iv[starts], log_ratio=log_ratio[last.series])
    counts = has_iv & ((weight[0] > 0.0) | (weight[1] > 0.0))
    counts[: cut.start] = False
    rows = np.flatnonzero(counts)
    pair = lines.pair[rows]
    starts, entry = _entries(pair, clean.iv[rows])
    held = _held(lines.is_call[rows], entry, starts.size, weight[:, rows])
    net = held[:, 1] - held[:, 0]
    first = rows[starts]
    taken: dict[str, Any] = {"weight": weight, "has_iv": has_iv, "iv": clean.iv[first], "held": held, "net": net}
    if last is not None and np.array_equal(rows, last.rows) and np.array_equal(entry, last.entry):
        return replace(last, **taken, log_ratio=log_ratio[last.series])
    strike, date_code, series = lines.strike[first], lines.date_code[first], lines.series[first]
    scopes = {name: _among(first, cut.rows[name]) for name in SCOPES}
    pieces = Pieces(span_of(scopes[name]) for name in SCOPES)
    strike_code, begins = lines.strike_code[first], np.flatnonzero(np.diff(series, prepend=-1))
    put_cell = pieces.numbers() * (2 * lines.strikes.size) + strike_code
    return PricedStrikes(
        rows=rows,
        pair=pair,
        entry=entry,
        settle_s=lines.settle_s[first],
        strike=strike,
        log_strike=np.log(strike),
        log_ratio=log_ratio[series],
        **taken,
        strike_code=strike_code,
        date_code=date_code,
        date_start=np.flatnonzero(np.diff(date_code, prepend=-1)),
        series=series,
        sizes=np.diff(begins, append=series.size),
        ends_s=lines.settle_s[first[begins]],
        scopes=scopes,
        pieces=pieces,
        cell=np.concatenate((put_cell, put_cell + lines.strikes.size)),
    )


def _entries(pair: Ints, iv: Floats) -> tuple[Ints, Ints]:
    """Which of some lines begin an entry, and of which entry each is."""
    begins = np.ones(pair.size, np.bool_)
    np.logical_or(pair[1:] != pair[:-1], iv[1:] != iv[:-1], out=begins[1:])
    return np.flatnonzero(begins), np.cumsum(begins) - 1


def _held(is_call: NDArray[np.bool_], entry: Ints, entries: int, weight: Floats) -> Floats:
    place = entry + entries * is_call
    sums = [np.bincount(place, own, 2 * entries).astype(np.float64) for own in weight]
    return np.stack(sums).reshape(2, 2, entries)


def _among(first: NDArray[np.intp], wanted: slice) -> slice:
    low, high = np.searchsorted(first, (wanted.start, wanted.stop)).tolist()
    return slice(low, high)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The total G(S') of any slice of entries as one exponential per entry (`specs/gex-method.md` §16).

    With x = ln(S'/anchor): d1 = slope·x + offset, and entry i adds S'·coefficient[i]·exp(-d1²/2).
    `coefficient` has two rows, open interest and volume; dollars per 1 % move.
    """

    anchor: float
    moneyness: Floats
    """ln(forward / strike) at the anchor."""
    slope: Floats
    """1 / (σ·√T)."""
    offset: Floats
    coefficient: Floats
    deviation: Floats
    years: Floats


def build_kernel(priced: PricedStrikes, anchor: float, asof_s: float) -> Kernel:
    """The kernel at a quote time, centred on `anchor` (the spot) so that nothing cancels."""
    deviation = priced.deviation_at(asof_s)
    slope = 1.0 / deviation
    moneyness = np.log(anchor) - priced.log_strike + priced.log_ratio
    return Kernel(
        anchor=anchor,
        moneyness=moneyness,
        slope=slope,
        offset=moneyness * slope + 0.5 * deviation,
        coefficient=priced.net * (slope * (MULTIPLIER * PER_CENT / ROOT_2PI)),
        deviation=deviation,
        years=priced.years_at(asof_s),
    )
