"""Exposures of lines at spot, ladders and totals; dealers long calls, short puts (`specs/gex-method.md` §3, §4).

Every figure is in US dollars; the name of a field ends with what it is per.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, normal_cdf, years_to_expiry
from streaming.gex.pricing.priced import MULTIPLIER, PER_CENT, Kernel, PricedLines
from streaming.gex.pricing.spans import Pieces, Span

OTHERS: Final = ("vex_usd_per_vol_point", "chex_usd_per_day", "dex_usd", "dex_dealer_usd", "chex_usd_to_close")
"""Vanna and charm exposure, then delta exposure in both conventions: sum of delta (puts negative by their own) and
dealer-signed (both sides positive); last what the dealer-signed one gains by time alone until the next close."""
_DAYS: Final = 365.0


@dataclass(frozen=True, slots=True, eq=False)
class LineExposures:
    """Exposures per line at spot."""

    gex: Floats
    """$ per 1 %, shape (2, N): by open interest, by volume."""
    each: Floats
    """Of one contract: net and gross GEX, then the figures of `OTHERS`; shape (7, N)."""


def line_exposures(lines: PricedLines, kernel: Kernel, close_s: float) -> LineExposures:
    """All exposures at spot (the kernel's anchor), with the forward of each line; `close_s` is the next close."""
    d1, deviation = kernel.offset, kernel.deviation
    dollars = MULTIPLIER * kernel.anchor
    bell = np.exp(-0.5 * d1 * d1)
    d2 = d1 - deviation
    each = np.empty((2 + len(OTHERS), d1.size))
    net, gross, vex, chex, dex, dealer, to_close = each
    np.multiply(normal_cdf(lines.sign * d1, bell=bell), dollars, out=dealer)
    np.multiply(dealer, lines.sign, out=dex)
    np.multiply(bell, kernel.slope, out=gross)
    gross *= PER_CENT * dollars / ROOT_2PI
    np.multiply(gross, lines.sign, out=net)
    bell *= lines.sign
    bell *= dollars / ROOT_2PI
    np.divide(d2, lines.iv, out=vex)
    vex *= bell
    vex *= -PER_CENT
    np.multiply(d2, deviation, out=chex)
    chex -= 2.0 * lines.log_ratio
    chex /= kernel.years
    chex *= kernel.slope
    chex *= bell
    chex /= 2.0 * _DAYS
    np.multiply(normal_cdf(lines.sign * _d1_at(lines, kernel, close_s)), dollars, out=to_close)
    to_close -= dealer
    return LineExposures(gex=lines.weight * net, each=each)


def _d1_at(lines: PricedLines, kernel: Kernel, later_s: float) -> Floats:
    """d1 at a later instant, spot and volatility as they are; a line that settles before stays at its last minute."""
    later = lines.iv * np.sqrt(years_to_expiry(lines.settle_s, later_s))
    d1: Floats = (kernel.offset - 0.5 * kernel.deviation) * kernel.deviation / later + 0.5 * later
    return d1


def total_exposures(lines: PricedLines, exposures: LineExposures, spans: Iterable[Span]) -> dict[Span, Floats]:
    """Net GEX, gross GEX and `OTHERS` of each span; shape (2, 7): by open interest, by volume."""
    spans = tuple(spans)
    pieces = Pieces(spans)
    sums = pieces.products(lines.weight[:, pieces.rows], exposures.each[:, pieces.rows])
    return {span: pieces.total(sums, span) for span in spans}


def hedges_usd_per_1pct(lines: PricedLines, kernel: Kernel, rows: slice) -> tuple[float, float]:
    """Half the change of dealer delta from -1 % to +1 % of spot, by open interest and by volume.

    Unlike GEX it stays finite as the time left goes to 0 (`specs/gex-method.md` §15); call and put swing alike.
    """
    slope, offset = kernel.slope[rows], kernel.offset[rows]
    up = normal_cdf(offset + slope * np.log(1.0 + PER_CENT))
    swing = up - normal_cdf(offset + slope * np.log(1.0 - PER_CENT))
    oi, vol = (0.5 * MULTIPLIER * kernel.anchor * (lines.weight[:, rows] @ (lines.sign[rows] * swing))).tolist()
    return oi, vol


def side_ladders(lines: PricedLines, values: Floats, spans: Iterable[Span], strikes: int) -> dict[Span, Floats]:
    """Sums per strike for puts and calls apart, per span; shape (2, strikes), puts first."""
    spans = tuple(spans)
    cuts = Pieces(spans).cuts.tolist()
    key = lines.strike_code + strikes * lines.is_call
    parts: dict[Span, Floats] = {
        (low, high): np.bincount(key[low:high], values[low:high], 2 * strikes).astype(np.float64).reshape(2, strikes)
        for low, high in pairwise(cuts)
    }
    nothing: Floats = np.zeros((2, strikes))
    return {
        (low, high): sum((part for (start, stop), part in parts.items() if low <= start and stop <= high), nothing)
        for low, high in spans
    }
