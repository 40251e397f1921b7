"""Draws exposure by strike over a session in rows that can be told apart; runs in the chart worker only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

from bot.render.charts.chart_canvas import AXES, BILLIONS, ChartCanvas, set_time_axis
from bot.render.charts.kinds.heatmap import Column, HeatmapChart
from bot.render.charts.mark_row import LegendRow
from bot.render.charts.signed_cells import (
    HATCH,
    Corners,
    SignedScale,
    colours_of,
    corners,
    full_of,
    is_negative,
    joined,
    shades_of,
)
from bot.render.numbers import known
from bot.render.theme import ChartTheme

_MOST_ROWS: Final = 44
_REACH: Final = 0.018
"""Strikes this far beyond where spot was are shown."""
_STEPS: Final = (1, 2, 4, 5, 10, 20, 25, 40, 50, 100, 200, 250, 400, 500, 1000)
_SAME: Final = 4
"""Decimals of a strike that make it another one."""
Ladder = dict[float, float]
"""Strike without a futures ticker's basis -> $ millions per 1 %; only what is known."""
_BAR_WIDTH: Final = 0.025
_AXES: Final = (AXES[0], AXES[1], 0.69, AXES[3])
_BAR: Final = (0.84, AXES[1], _BAR_WIDTH, AXES[3])


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


class HeatmapPainter:
    """Cells coloured by the square root of their exposure, hatched where it is negative; spot and zero gamma on top."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme, _AXES)
        axes = self.canvas.axes
        axes.grid(visible=False)
        self._colours = colours_of(theme)
        self._cells = self.canvas.polygons(linewidths=0, antialiaseds=False)
        self._negative = self.canvas.polygons(facecolors="none", hatch=HATCH, edgecolors=theme.background, linewidths=0)
        self._lines = {kind: self.canvas.line(kind) for kind in ("zero_gamma", "spot")}
        self.legend = LegendRow(self.canvas)
        self.scale = SignedScale(self.canvas, _BAR)

    def draw(self, chart: HeatmapChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        grid = grid_of(chart)
        values = [value for column in grid.values for value in column if value is not None]
        full = full_of(values)
        rows = f" · rows of {grid.step:g} points" if grid.shared else ""
        self.canvas.write(chart, unit="$ Bn per 1 %", below=f"New York time · colours by square root{rows}")
        self.canvas.left.set_text("points")
        self.scale.label(full * BILLIONS)
        self._move_cells(grid, chart.columns, full)
        self._move_lines(chart.columns)
        set_time_axis(self.canvas.axes, chart.columns[0].begins, chart.columns[-1].ends)
        self.canvas.axes.set_ylim(grid.lowest, grid.lowest + grid.step * len(grid.values[0]))
        self.legend.show(chart.marks, drawn=self._lines)
        return self.canvas.png()

    def _move_cells(self, grid: Grid, columns: Sequence[Column], full: float) -> None:
        places = [
            (corners(column.begins, column.ends, *_reach(grid, row)), value)
            for column, values in zip(columns, grid.values, strict=True)
            for row, value in enumerate(values)
            if value is not None
        ]
        self._cells.set_verts([cell for cell, _ in places])
        self._cells.set_facecolor(self._colours(shades_of([value for _, value in places], full)).tolist())
        self._negative.set_verts(_negative_runs(grid, columns, full))

    def _move_lines(self, columns: Sequence[Column]) -> None:
        for kind, line in self._lines.items():
            times: list[float] = []
            values: list[float] = []
            for before, column in zip([None, *columns], columns, strict=False):
                if before is not None and column.begins > before.ends:
                    times.append(before.ends)
                    values.append(float("nan"))
                value = column.spot if kind == "spot" else column.zero_gamma
                times.append(column.begins)
                values.append(float("nan") if value is None else value)
            line.set_data([*times, columns[-1].ends], [*values, values[-1]])


def _reach(grid: Grid, row: int) -> tuple[float, float]:
    low = grid.lowest + row * grid.step
    return low, low + grid.step


def _negative_runs(grid: Grid, columns: Sequence[Column], full: float) -> list[Corners]:
    shades = shades_of([[value or 0.0 for value in values] for values in grid.values], full)
    runs: list[Corners] = []
    for row, negative in enumerate(is_negative(shades).T):
        cells = [(columns[n].begins, columns[n].ends) for n in np.flatnonzero(negative).tolist()]
        runs += joined(cells, *_reach(grid, row))
    return runs
