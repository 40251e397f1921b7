"""Levels of one instrument in the points of another (`gex.md` §14)."""

from collections import deque
from statistics import median
from typing import Final

import msgspec

WINDOW_MS: Final = 30_000
FRESH_MS: Final = 5_000


class Basis(msgspec.Struct, frozen=True):
    """Future minus index, and when the newest pair of quotes behind it was seen."""

    points: float
    measured_ms: int

    def is_live(self, at_ms: int) -> bool:
        """Whether a pair was seen within the last 30 s; an older basis is held, and its age says so."""
        return at_ms - self.measured_ms <= WINDOW_MS


class BasisEstimator:
    """Median of future minus index over the last 30 s of quotes that were both under 5 s old."""

    def __init__(self) -> None:
        self._index: tuple[float, int] | None = None
        self._future: tuple[float, int] | None = None
        self._samples: deque[tuple[int, float]] = deque()
        self._basis: Basis | None = None

    def on_index(self, price: float, event_ms: int) -> None:
        """Take a quote of the index; prices that are not positive are ignored."""
        self._index = _newer(self._index, price, event_ms)
        self._sample(event_ms)

    def on_future(self, price: float, event_ms: int) -> None:
        """Take a quote of the future; prices that are not positive are ignored."""
        self._future = _newer(self._future, price, event_ms)
        self._sample(event_ms)

    def current(self) -> Basis | None:
        """The basis, live or held; None before the first pair of fresh quotes."""
        return self._basis

    def _sample(self, event_ms: int) -> None:
        if self._index is None or self._future is None or abs(self._index[1] - self._future[1]) >= FRESH_MS:
            return
        at_ms = max(self._index[1], self._future[1])
        if event_ms < at_ms - FRESH_MS:
            return
        self._samples.append((at_ms, self._future[0] - self._index[0]))
        while self._samples[0][0] < at_ms - WINDOW_MS:
            self._samples.popleft()
        self._basis = Basis(median(points for _, points in self._samples), at_ms)


def _newer(known: tuple[float, int] | None, price: float, event_ms: int) -> tuple[float, int] | None:
    if not 0.0 < price < float("inf") or (known is not None and event_ms < known[1]):
        return known
    return price, event_ms


def map_by_ratio(level: float, *, from_spot: float, to_spot: float) -> float:
    """A level of an ETF in index points or back: the live ratio of the two spots."""
    return level * (to_spot / from_spot)
