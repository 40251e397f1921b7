"""Exposures of lines at spot, ladders and totals; dealers long calls, short puts (`gex.md` §3, §4).

Every figure is in US dollars; the name of a field ends with what it is per.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.priced import MULTIPLIER, PER_CENT, Kernel, PricedLines
from streaming.gex.pricing import ROOT_2PI, Floats, normal_cdf

GEX: Final = "gex_usd_per_1pct"
FIGURES: Final = (
    GEX, "vex_usd_per_vol_point", "chex_usd_per_day", "dex_usd", "dex_dealer_usd", "hedge_usd_per_1pct",
)  # fmt: skip
"""GEX; vanna and charm exposure; delta exposure as sum of delta (puts negative by their own) and dealer-signed (both
sides positive); half the change of dealer delta from -1 % to +1 %, finite however short the time left (§15)."""
_DAYS: Final = 365.0


@dataclass(frozen=True, slots=True, eq=False)
class LineExposures:
    """Exposures per line at spot.

    `usd` has shape (2, 6, N): open interest and volume, then the figures in the order of `FIGURES`.
    """

    usd: Floats
    delta: Floats
    """Per line, shape (N,)."""

    @property
    def gex(self) -> Floats:
        """GEX in $ per 1 %, shape (2, N)."""
        return self.usd[:, 0]


def line_exposures(lines: PricedLines, kernel: Kernel) -> LineExposures:
    """All exposures at spot (the kernel's anchor), with the forward of each line."""
    spot, d1, deviation = kernel.anchor, kernel.offset, 1.0 / kernel.slope
    bell = np.exp(-0.5 * d1 * d1)
    density = bell / ROOT_2PI
    d2 = d1 - deviation
    vanna = -density * d2 / lines.iv
    charm = -density * (2.0 * lines.log_ratio - d2 * deviation) / (2.0 * kernel.years * deviation)
    delta = lines.sign * normal_cdf(lines.sign * d1)
    dollars = MULTIPLIER * spot
    per_contract = np.stack(
        (
            np.zeros_like(d1),
            lines.sign * vanna * (dollars * PER_CENT),
            lines.sign * charm * (dollars / _DAYS),
            delta * dollars,
            lines.sign * delta * dollars,
            lines.sign * _half_swing(kernel) * dollars,
        )
    )
    usd = lines.weight[:, None, :] * per_contract
    np.multiply(kernel.coefficient, spot * bell, out=usd[:, 0])
    return LineExposures(usd, delta)


def _half_swing(kernel: Kernel) -> Floats:
    """[Δ(1.01·S) - Δ(0.99·S)] / 2, the same for call and put."""
    up = normal_cdf(kernel.offset + kernel.slope * np.log(1.0 + PER_CENT))
    down = normal_cdf(kernel.offset + kernel.slope * np.log(1.0 - PER_CENT))
    return 0.5 * (up - down)


def side_ladder(lines: PricedLines, values: Floats, rows: slice, strikes: int) -> Floats:
    """Sums per strike for puts and calls apart; shape (2, strikes), puts first."""
    key = lines.strike_code[rows] + strikes * lines.is_call[rows]
    sums: Floats = np.bincount(key, weights=values[rows], minlength=2 * strikes).reshape(2, strikes).astype(np.float64)
    return sums
