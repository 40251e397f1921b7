"""Levels of one instrument in the points of another (`specs/gex-method.md` §14)."""

from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any, Final, Generic, TypeVar

import msgspec

from streaming.model import ScopeFigures, WeightFigures

WINDOW_MS: Final = 30_000
FRESH_MS: Final = 5_000
M = TypeVar("M")


class Basis(msgspec.Struct, frozen=True):
    """Future minus index, and when the newest pair of quotes behind it was seen."""

    points: float
    measured_ms: int

    def is_live(self, at_ms: int) -> bool:
        """Whether a pair was seen within the last 30 s; an older basis is held, and its age says so."""
        return at_ms - self.measured_ms <= WINDOW_MS


class Ratio(msgspec.Struct, frozen=True):
    """ETF over index, and when the newest pair of quotes behind it was seen."""

    value: float
    measured_ms: int


class PairMedian(Generic[M]):
    """Median over the last 30 s of what two prices make, from quotes that were both under 5 s old, as a measure."""

    def __init__(self, combine: Callable[[float, float], float], measure: Callable[[float, int], M]) -> None:
        self._combine = combine
        self._measure = measure
        self._first: tuple[float, int] | None = None
        self._second: tuple[float, int] | None = None
        self._samples: deque[tuple[int, float]] = deque()
        self.current: M | None = None
        """The median and when the newest pair was seen, live or held; None before the first pair."""

    def on_first(self, price: float, event_ms: int) -> None:
        """Take a price; one that is not positive is ignored."""
        self._first = _newer(self._first, price, event_ms)
        self._sample(event_ms)

    def on_second(self, price: float, event_ms: int) -> None:
        """Take a price of the other instrument."""
        self._second = _newer(self._second, price, event_ms)
        self._sample(event_ms)

    def _sample(self, event_ms: int) -> None:
        if self._first is None or self._second is None or abs(self._first[1] - self._second[1]) >= FRESH_MS:
            return
        at_ms = max(self._first[1], self._second[1])
        if event_ms < at_ms - FRESH_MS:
            return
        self._samples.append((at_ms, self._combine(self._first[0], self._second[0])))
        while self._samples[0][0] < at_ms - WINDOW_MS:
            self._samples.popleft()
        self.current = self._measure(median(value for _, value in self._samples), at_ms)


def live_basis() -> PairMedian[Basis]:
    """Of an index and its future, the live additive basis."""
    return PairMedian(lambda index, future: future - index, Basis)


def live_ratio() -> PairMedian[Ratio]:
    """Of an index and an ETF on it."""
    return PairMedian(lambda index, etf: etf / index, Ratio)


def _newer(known: tuple[float, int] | None, price: float, event_ms: int) -> tuple[float, int] | None:
    if not 0.0 < price < float("inf") or (known is not None and event_ms < known[1]):
        return known
    return price, event_ms


_DECIMALS: Final = 4
_LEVEL_FIELDS: Final = (
    "zero_gamma", "ladder_split", "call_wall", "put_wall",
    "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below",
)  # fmt: skip


def shift_levels(figures: ScopeFigures, points: float | None, *, ratio: float = 1.0) -> ScopeFigures:
    """The same figures with every level times a ratio plus points; without a basis (`points`) they are unknown."""
    return msgspec.structs.replace(
        figures,
        max_pain=shift(figures.max_pain, points, ratio=ratio),
        oi=_shift(figures.oi, points, ratio),
        vol=_shift(figures.vol, points, ratio),
        ladder=_shift_rows(figures.ladder, points, ratio),
        sides=_shift_rows(figures.sides, points, ratio),
        profile=_shift_rows(figures.profile, points, ratio),
    )


def _shift_rows(rows: tuple[Any, ...], points: float | None, ratio: float) -> tuple[Any, ...]:
    """Rows whose first column is a level."""
    if points is None:
        return ()
    return tuple((round(level * ratio + points, _DECIMALS), *others) for level, *others in rows)


def _shift(figures: WeightFigures, points: float | None, ratio: float) -> WeightFigures:
    roots = () if points is None else tuple(level * ratio + points for level in figures.zero_gamma_roots)
    return msgspec.structs.replace(
        figures,
        zero_gamma_roots=roots,
        top_strikes=_shift_rows(figures.top_strikes, points, ratio),
        top_strikes_gross=_shift_rows(figures.top_strikes_gross, points, ratio),
        zero_gamma_directions=() if points is None else figures.zero_gamma_directions,
        zero_gamma_slope=_per_point(figures.zero_gamma_slope, ratio),
        net_gex_usd_per_point=_per_point(figures.net_gex_usd_per_point, ratio),
        **{name: shift(getattr(figures, name), points, ratio=ratio) for name in _LEVEL_FIELDS},
    )


def _per_point(dollars: float | None, ratio: float) -> float | None:
    """What a point is worth when points are `ratio` times as many."""
    return None if dollars is None else dollars / ratio


def shift(level: float | None, points: float | None, *, ratio: float = 1.0) -> float | None:
    """A level times a ratio plus points; None when either is unknown."""
    return None if level is None or points is None else level * ratio + points
