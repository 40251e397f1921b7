"""Levels read off a ladder: majors, walls and the ladder split (`specs/gex-method.md` §8, §9)."""

from typing import Final

import numpy as np

from streaming.gex.pricing import Floats

WINDOW: Final = 0.035
Level = tuple[float, float]
"""(strike, its value)."""


def largest(strikes: Floats, values: Floats, spot: float) -> Level | None:
    """The strike with the largest value if that is above 0; ties go nearer to spot, then to the lower strike."""
    if values.size == 0:
        return None
    best = float(values.max())
    if not best > 0.0:
        return None
    tied = strikes[values == best].tolist()
    return min(tied, key=lambda strike: (abs(strike - spot), strike)), best


def smallest(strikes: Floats, values: Floats, spot: float) -> Level | None:
    """The strike with the smallest value if that is below 0; ties as in `largest`."""
    found = largest(strikes, -values, spot)
    return None if found is None else (found[0], -found[1])


def within_window(strikes: Floats, spot: float) -> slice:
    """Which of the ascending strikes are within 3.5 % of spot."""
    low = np.searchsorted(strikes, spot * (1.0 - WINDOW), side="left")
    return slice(int(low), int(np.searchsorted(strikes, spot * (1.0 + WINDOW), side="right")))


def ladder_split(strikes: Floats, values: Floats) -> float | None:
    """The crossing next to the minimum of the running sum (GEXBot's zero gamma), or None (`specs/gex-method.md` §9).

    Takes the ladder of the window, by volume. None when the running sum is never below 0 or ends at its minimum.
    """
    strikes, values = _without_zeros(strikes, values)
    if values.size == 0:
        return None
    running = np.cumsum(values)
    i = int(running.argmin())
    if not running[i] < 0.0 or i == values.size - 1:
        return None
    return _between(strikes, values, i)


def _without_zeros(strikes: Floats, values: Floats) -> tuple[Floats, Floats]:
    kept = values != 0.0
    return strikes[kept], values[kept]


def _between(strikes: Floats, values: Floats, i: int) -> float:
    low, high = float(values[i]), float(values[i + 1])
    return float(strikes[i]) - low * float(strikes[i + 1] - strikes[i]) / (high - low)
