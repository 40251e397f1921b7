"""A heatmap's strikes in equal rows, few enough to be told apart. Pure; runs in the chart worker."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from bot.render.charts.kinds.heatmap import Column, HeatmapChart
from bot.render.numbers import known

_MOST_ROWS: Final = 44
_REACH: Final = 0.018
"""Strikes this far beyond where spot was are shown."""
_STEPS: Final = (1, 2, 4, 5, 10, 20, 25, 40, 50, 100, 200, 250, 400, 500, 1000)
_SAME: Final = 4
"""Decimals of a strike that make it another one."""
Ladder = dict[float, float]
"""Strike without a futures ticker's basis -> $ millions per 1 %; only what is known."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Row n holds the strikes from `lowest + n * step` to below the next row."""

    lowest: float
    step: float
    shared: bool
    """Whether strikes share a row."""
    values: tuple[tuple[float | None, ...], ...]
    """For each column the sum of each row; None where no strike is known."""


def grid_of(chart: HeatmapChart) -> Grid:
    """The rows that cover where spot was, and a little more."""
    ladders = [_ladder(column, by_volume=chart.weight == "vol") for column in chart.columns]
    listed = sorted({strike for ladder in ladders for strike in ladder})
    shown = _near(listed, chart.columns) or listed
    single = median(after - before for before, after in pairwise(shown)) if len(shown) > 1 else 1.0
    sizes = (single * step for step in _STEPS)
    span = shown[-1] - shown[0]
    step = next((size for size in sizes if span / size < _MOST_ROWS), span / _MOST_ROWS)
    lowest = math.floor(shown[0] / step + 1e-9) * step
    count = math.floor((shown[-1] - lowest) / step + 1e-9) + 1
    values = tuple(_rows(ladder, lowest, step, count) for ladder in ladders)
    return Grid(lowest + chart.columns[-1].offset, step, step > 1.5 * single, values)


def _ladder(column: Column, *, by_volume: bool) -> Ladder:
    offset = column.offset
    rows = [(round(row.strike - offset, _SAME), row.vol if by_volume else row.oi) for row in column.strikes]
    return {strike: value for strike, value in rows if known(value)}


def _near(listed: Sequence[float], columns: Sequence[Column]) -> list[float]:
    spots = [column.spot - column.offset for column in columns if column.spot is not None]
    if not spots:
        return list(listed)
    low, high = min(spots) * (1 - _REACH), max(spots) * (1 + _REACH)
    return [strike for strike in listed if low <= strike <= high]


def _rows(ladder: Ladder, lowest: float, step: float, count: int) -> tuple[float | None, ...]:
    sums: list[float | None] = [None] * count
    for strike, value in ladder.items():
        row = math.floor((strike - lowest) / step + 1e-9)
        if 0 <= row < count:
            sums[row] = (sums[row] or 0.0) + value
    return tuple(sums)
