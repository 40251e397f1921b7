"""To which instant a vendor solves its volatilities, measured by its own greeks (`specs/gex-method.md` §5). Pure.

A volatility means something only with the time it was solved with, and vendors have clocks of their own: 16:15 where
the contract settles at 16:00, midnight, days without weekends. Gamma and vega together tell it: T = vega / (Γ·S²·σ).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
SeriesName = tuple[str, date]
"""Root and expiry."""
_DIGITS: Final = 100.0
"""Three good digits are a hundred times the last one that the vendor writes."""
_FEWEST: Final = 3
_IV: Final = (0.02, 10.0)
_YEAR_S: Final = 365.0 * 86_400.0
_MOST_APART_S: Final = 4 * 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class Greeks:
    """A vendor's volatility (a fraction), gamma and vega (per volatility point) of N contracts; NaN is unknown."""

    iv: Floats
    gamma: Floats
    vega: Floats
    unit: float
    """The last digit that gamma and vega are written with."""


def clock_ends(
    greeks: Greeks, spot: float, asof_s: float, series: NDArray[np.intp], settles: Sequence[tuple[SeriesName, float]]
) -> dict[SeriesName, float]:
    """When the vendor's time ends, epoch seconds, of each series that says so: the median of three contracts or more.

    `series` is each contract's place in `settles`, which names the series and their settlement. What lies more than
    four days from that, or before `asof_s`, is no clock.
    """
    with np.errstate(invalid="ignore"):
        good = np.minimum(greeks.gamma, greeks.vega) >= _DIGITS * greeks.unit
        good &= (greeks.iv > _IV[0]) & (greeks.iv < _IV[1])
    rows = np.flatnonzero(good)
    left_s = _YEAR_S * 100.0 * greeks.vega[rows] / (greeks.gamma[rows] * spot * spot * greeks.iv[rows])
    own = {place: left_s[series[rows] == place] for place in np.unique(series[rows]).tolist()}
    medians = {place: asof_s + float(np.median(found)) for place, found in own.items() if found.size >= _FEWEST}
    return {
        settles[place][0]: end_s
        for place, end_s in medians.items()
        if end_s > asof_s and abs(end_s - settles[place][1]) <= _MOST_APART_S
    }
