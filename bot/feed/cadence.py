"""A fixed beat that does not drift and never bunches up. Pure."""

import math


class Cadence:
    """Beats at `start_s`, `start_s + period_s`, ...

    A beat that is late is still made while its own period lasts, which is what keeps the pace when discord.py
    holds the last call of a rate-limit window back until the window ends; older beats are missed.
    """

    def __init__(self, start_s: float, period_s: float) -> None:
        self._start_s = start_s
        self._period_s = period_s
        self._next = 0

    @property
    def due_s(self) -> float:
        """The beat to wait for, on the monotonic clock."""
        return self._start_s + self._next * self._period_s

    def advance(self, now_s: float) -> int:
        """Go on to the newest beat that is due at `now_s`, else to the next one; how many were missed."""
        current = math.floor((now_s - self._start_s) / self._period_s)
        following = max(current, self._next + 1)
        missed = following - self._next - 1
        self._next = following
        return missed
