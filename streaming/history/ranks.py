"""Where today's figures stand among past days, and how often levels held: always with n, nothing from few. Pure."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev
from typing import Final, NamedTuple

from streaming.history.grades import Grade

FEWEST: Final = 20
"""Under so many days or tests there is no rank and no rate."""
SPANS: Final = (20, 60, 250)
"""Days that a rank looks back."""
_Z95: Final = 1.96


class DayRank(NamedTuple):
    """Of one figure among the last days; percentile and z-score are None under 20 of them."""

    n: int
    percentile: float | None
    """0 to 100: the share of days below today's, half of those equal."""
    z: float | None
    """(today's - mean) / standard deviation (n - 1); None too where all days were the same."""


def rank(value: float, past: Sequence[float]) -> DayRank:
    """Of today's figure among those of past days (`specs/history.md`)."""
    n = len(past)
    if n < FEWEST:
        return DayRank(n, None, None)
    below, equal = sum(seen < value for seen in past), sum(seen == value for seen in past)
    spread = stdev(past)
    return DayRank(n, (below + equal / 2) / n * 100.0, (value - fmean(past)) / spread if spread else None)


class HoldRate(NamedTuple):
    """How often a level held that was tested."""

    days: int
    """On which it was frozen."""
    tested: int
    """n: days on which spot came to it and what followed is known."""
    held: int
    unknown: int
    """Days on which it was touched, and quotes are missing after that."""

    @property
    def rate(self) -> float | None:
        """Share of the tested, 0 to 1; None under 20 of them."""
        return self.held / self.tested if self.tested >= FEWEST else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval of the rate."""
        if self.rate is None:
            return None
        n, square = self.tested, _Z95**2
        middle = (self.rate + square / (2 * n)) / (1 + square / n)
        half = _Z95 / (1 + square / n) * math.sqrt(self.rate * (1 - self.rate) / n + square / (4 * n * n))
        return middle - half, middle + half


def hold_rate(grades: Iterable[Grade]) -> HoldRate:
    """Of all grades that are given."""
    found = list(grades)
    held = sum(grade.held is True for grade in found)
    broken = sum(grade.held is False for grade in found)
    unknown = sum(grade.touched_ms is not None and grade.held is None for grade in found)
    return HoldRate(len(found), held + broken, held, unknown)
