"""Priced lines: what is left of a chain once settled, unpriceable and weightless lines are gone."""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, years_to_expiry
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.volatility import CleanIv
from streaming.model import SCOPES, ScopeName

MULTIPLIER: Final = 100.0
PER_CENT: Final = 0.01
ForwardMode = Literal["parity", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class PricedLines:
    """Parallel arrays of the lines that count; `rows` says which lines of the chain they are.

    `weight` has two rows: open interest and volume. `log_ratio` is ln(forward / spot). `scopes` are
    slices into these arrays.
    """

    rows: NDArray[np.intp]
    settle_s: Floats
    strike: Floats
    log_strike: Floats
    log_ratio: Floats
    iv: Floats
    is_call: NDArray[np.bool_]
    sign: Floats
    weight: Floats
    strike_code: Ints
    date_code: Ints
    date_start: Ints
    """First line of each date that has any."""
    series: Ints
    scopes: dict[ScopeName, slice]

    def __len__(self) -> int:
        return int(self.strike.size)


def select_priced(
    lines: Lines,
    clean: CleanIv,
    weight: Floats,
    ratio: Floats,
    cut: ScopeSlices,
    *,
    last: PricedLines | None = None,
) -> PricedLines:
    """The living lines that have a volatility and any weight.

    `weight` has shape (2, lines); `ratio` is forward over spot per series, NaN meaning 1. When the same rows count as
    in `last`, which must be of the same contracts and cut, only volatilities, weights and forwards are taken anew.
    """
    counts = ~np.isnan(clean.iv) & (weight > 0.0).any(axis=0)
    counts[: cut.start] = False
    rows = np.flatnonzero(counts)
    log_ratio = np.log(np.where(np.isfinite(ratio), ratio, 1.0))
    if last is not None and np.array_equal(rows, last.rows):
        return replace(last, iv=clean.iv[rows], weight=weight[:, rows], log_ratio=log_ratio[last.series])
    strike, is_call = lines.strike[rows], lines.is_call[rows]
    series, date_code = lines.series[rows], lines.date_code[rows]
    return PricedLines(
        rows=rows,
        settle_s=lines.settle_s[rows],
        strike=strike,
        log_strike=np.log(strike),
        log_ratio=log_ratio[series],
        iv=clean.iv[rows],
        is_call=is_call,
        sign=np.where(is_call, 1.0, -1.0),
        weight=weight[:, rows],
        strike_code=lines.strike_code[rows],
        date_code=date_code,
        date_start=np.flatnonzero(np.diff(date_code, prepend=-1)),
        series=series,
        scopes={name: _among(rows, cut.rows[name]) for name in SCOPES},
    )


def _among(rows: NDArray[np.intp], wanted: slice) -> slice:
    low, high = np.searchsorted(rows, (wanted.start, wanted.stop)).tolist()
    return slice(low, high)


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The total G(S') of any slice of lines as one exponential per line (`specs/gex-method.md` §16).

    With x = ln(S'/anchor): d1 = slope·x + offset, and line i adds S'·coefficient[i]·exp(-d1²/2).
    `coefficient` has two rows, open interest and volume; dollars per 1 % move.
    """

    anchor: float
    slope: Floats
    """1 / (σ·√T)."""
    offset: Floats
    coefficient: Floats
    deviation: Floats
    years: Floats


def build_kernel(lines: PricedLines, anchor: float, asof_s: float) -> Kernel:
    """The kernel at a quote time, centred on `anchor` (the spot) so that nothing cancels."""
    years = years_to_expiry(lines.settle_s, asof_s)
    deviation = lines.iv * np.sqrt(years)
    slope = 1.0 / deviation
    offset = (np.log(anchor) - lines.log_strike + lines.log_ratio) * slope + 0.5 * deviation
    scale = lines.sign * slope * (MULTIPLIER * PER_CENT / ROOT_2PI)
    coefficient = lines.weight * scale
    return Kernel(anchor=anchor, slope=slope, offset=offset, coefficient=coefficient, deviation=deviation, years=years)
