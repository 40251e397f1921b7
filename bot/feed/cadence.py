"""A fixed beat that does not drift and never bunches up. Pure."""

import math


class Cadence:
    """Beats at `start_s`, `start_s + period_s`, ...; a beat that was slept through is missed, not made up for."""

    def __init__(self, start_s: float, period_s: float) -> None:
        self._start_s = start_s
        self._period_s = period_s
        self._next = 0

    @property
    def due_s(self) -> float:
        """The beat to wait for, on the monotonic clock."""
        return self._start_s + self._next * self._period_s

    def advance(self, now_s: float) -> int:
        """Go on to the first beat after `now_s`; how many between were missed."""
        following = max(math.floor((now_s - self._start_s) / self._period_s) + 1, self._next + 1)
        missed = following - self._next - 1
        self._next = following
        return missed
