"""Where net gamma by volume moved most over 1, 5, 10, 15 and 30 minutes (`specs/gex-method.md` §11)."""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import Floats

WINDOWS_S: Final = (60.0, 300.0, 600.0, 900.0, 1800.0)
_SHORTEST_GAP_S: Final = 60.0
_KEEP_S: Final = 1800.0 + 450.0
_SPACING_S: Final = 0.9
"""A little under the usual pace of 1 s, so that every snapshot at that pace is kept."""
_TIDY_AFTER: Final = 100
Change = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Ladder:
    """Net values by strike at one instant; strikes ascending."""

    at_s: float
    strikes: Floats
    values: Floats


class LadderHistory:
    """The ladders of the last 37.5 minutes, all that are at least 0.9 s apart, and the latest one.

    Ages are counted from the ladder handed to `changes`. What is older than a window by more than a quarter of it
    (at least a minute) does not stand in for it: the window is then unknown.
    """

    def __init__(self) -> None:
        self._kept: list[Ladder] = []
        self._kept_at: list[float] = []
        self._latest: Ladder | None = None
        self._epoch: Hashable = None

    def start_epoch(self, epoch: Hashable) -> None:
        """Forget everything when the session or the scope's dates are not those of last time."""
        if epoch != self._epoch:
            self._epoch = epoch
            self._kept.clear()
            self._kept_at.clear()
            self._latest = None

    def add(self, ladder: Ladder) -> None:
        """Remember a ladder; one that is not newer than the last is ignored."""
        if self._latest is not None and ladder.at_s <= self._latest.at_s:
            return
        self._latest = ladder
        if not self._kept or ladder.at_s - self._kept_at[-1] >= _SPACING_S:
            self._kept.append(ladder)
            self._kept_at.append(ladder.at_s)
        past = bisect_right(self._kept_at, ladder.at_s - _KEEP_S - _SPACING_S)
        if past >= _TIDY_AFTER:
            del self._kept[:past], self._kept_at[:past]

    def previous(self, now_s: float) -> Ladder | None:
        """The newest ladder older than `now_s`."""
        if self._latest is not None and self._latest.at_s < now_s:
            return self._latest
        return next((ladder for ladder in reversed(self._kept) if ladder.at_s < now_s), None)

    def prior(self, now_s: float, window_s: float) -> Ladder | None:
        """The newest ladder whose age is at least the window and at most max(60 s, window/4) more."""
        place = bisect_right(self._kept_at, now_s - window_s) - 1
        return self._kept[place] if place >= 0 and stands_for(window_s, now_s - self._kept_at[place]) else None

    def priors(self, now_s: float) -> tuple[Ladder | None, ...]:
        """The previous ladder, then those of the five windows."""
        return (self.previous(now_s), *(self.prior(now_s, window_s) for window_s in WINDOWS_S))


def stands_for(window_s: float, age_s: float) -> bool:
    """Whether what is so old, and old enough, is still near enough to the window: within max(60 s, window/4) of it."""
    return age_s <= window_s + max(_SHORTEST_GAP_S, window_s / 4.0)


def values_at(strikes: Floats, prior: Ladder | None) -> Floats | None:
    """A prior's values on other strikes, 0 where it had none; None without a prior."""
    if prior is None:
        return None
    if prior.strikes is strikes:
        return prior.values
    values = np.zeros(strikes.size)
    if prior.strikes.size:
        at = np.minimum(np.searchsorted(prior.strikes, strikes), prior.strikes.size - 1)
        known = prior.strikes[at] == strikes
        values[known] = prior.values[at][known]
    return values


def largest_change(now: Ladder, prior_values: Floats | None) -> Change:
    """The strike with the largest absolute change and the signed change; the lower strike when tied.

    (None, None) without a prior; (None, 0.0) when nothing changed anywhere.
    """
    if prior_values is None or now.strikes.size == 0:
        return None, None
    return strongest(now.strikes, now.values - prior_values)


def strongest(strikes: Floats, changes: Floats) -> Change:
    """The strike with the largest absolute value, and that value; the lower strike when tied, none when all are 0."""
    at = int(np.abs(changes).argmax())
    return (float(strikes[at]), float(changes[at])) if changes[at] else (None, 0.0)
