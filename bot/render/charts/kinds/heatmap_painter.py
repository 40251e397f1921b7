"""Draws exposure by strike over a session in rows that can be told apart; runs in the chart worker only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.text import Text

from bot.render.charts.chart_canvas import AXES, TEXT_PT, ChartCanvas, decimals_for, set_time_axis, unit_of
from bot.render.charts.kinds.heatmap import Column, HeatmapChart
from bot.render.charts.mark_row import LegendRow
from bot.render.numbers import known, signed
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
_BAR: Final = (0.845, AXES[1], _BAR_WIDTH, AXES[3])
_FULL_AT: Final = 0.99
"""The share of cells below full colour; a single giant would leave the rest pale."""
_SHADES: Final = 128
_TICKS: Final = (1.0, 0.5, 0.0, -0.5, -1.0)
_HATCH: Final = "///"
_SEEN: Final = 0.04
_MIDDLE: Final = 0.5


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
        self._colours = LinearSegmentedColormap.from_list("gex", [theme.negative, theme.panel, theme.positive], 255)
        self._cells = self.canvas.polygons(linewidths=0, antialiaseds=False)
        self._negative = self.canvas.polygons(
            facecolors="none", hatch=_HATCH, edgecolors=theme.background, linewidths=0
        )
        self._lines = {kind: self.canvas.line(kind) for kind in ("zero_gamma", "spot")}
        self.legend = LegendRow(self.canvas)
        self.scale = self._scale()

    def draw(self, chart: HeatmapChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        grid = grid_of(chart)
        values = [value for column in grid.values for value in column if value is not None]
        full = float(np.quantile(np.abs(values), _FULL_AT)) or 1.0
        unit, scale = unit_of([full])
        rows = f" · rows of {grid.step:g} points" if grid.shared else ""
        self.canvas.write(chart, unit=f"$ {unit} per 1 %", below=f"New York time{rows}")
        self.canvas.left.set_text("points")
        self._label_scale(full * scale)
        self._move_cells(grid, chart.columns, full)
        self._move_lines(chart.columns)
        set_time_axis(self.canvas.axes, chart.columns[0].begins, chart.columns[-1].ends)
        self.canvas.axes.set_ylim(grid.lowest, grid.lowest + grid.step * len(grid.values[0]))
        self.legend.show(chart.marks, drawn=self._lines)
        return self.canvas.png()

    def _move_cells(self, grid: Grid, columns: Sequence[Column], full: float) -> None:
        places = [
            (_cell(grid, column.begins, column.ends, row), _shade(value, full))
            for column, values in zip(columns, grid.values, strict=True)
            for row, value in enumerate(values)
            if value is not None
        ]
        self._cells.set_verts([corners for corners, _ in places])
        self._cells.set_facecolor(self._colours(np.array([shade for _, shade in places])))
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

    def _scale(self) -> list[Text]:
        """A strip of all colours with signed figures beside it."""
        theme = self.canvas.theme
        strip = self.canvas.figure.add_axes(_BAR, facecolor=theme.panel)
        shades = np.linspace(0.0, 1.0, _SHADES)[:, np.newaxis]
        strip.imshow(self._colours(shades), aspect="auto", origin="lower", extent=(0.0, 1.0, -1.0, 1.0))
        half = PolyCollection([[(0, -1), (1, -1), (1, 0), (0, 0)]], facecolors="none", linewidths=0)
        half.set(hatch=_HATCH, edgecolor=theme.background)
        strip.add_collection(half, autolim=False)
        strip.set_axis_off()
        beside = {1.0: "top", -1.0: "bottom"}
        return [
            strip.text(1.25, at, "", fontsize=TEXT_PT, color=theme.text, va=beside.get(at, "center"), clip_on=False)
            for at in _TICKS
        ]

    def _label_scale(self, full: float) -> None:
        decimals = decimals_for(full / 40)
        for text, at in zip(self.scale, _TICKS, strict=True):
            value = at * abs(at) * full
            text.set_text(signed(value, decimals) if value else "0")


def _cell(grid: Grid, begins: float, ends: float, row: int) -> list[tuple[float, float]]:
    low = grid.lowest + row * grid.step
    high = low + grid.step
    return [(begins, low), (begins, high), (ends, high), (ends, low)]


def _shade(value: float, full: float) -> float:
    """0 for as negative as can be, 0.5 for nothing, 1 for as positive as can be."""
    size = math.sqrt(min(abs(value) / full, 1.0))
    return _MIDDLE + (size if value > 0 else -size) / 2


def _negative_runs(grid: Grid, columns: Sequence[Column], full: float) -> list[list[tuple[float, float]]]:
    """Neighbours in a row that are negative, as one patch: so that hatching runs on from cell to cell."""
    runs = []
    for row in range(len(grid.values[0])):
        spans: list[tuple[float, float]] = []
        for column, values in zip(columns, grid.values, strict=True):
            if not _is_negative(values[row], full):
                continue
            begins = spans.pop()[0] if spans and spans[-1][1] == column.begins else column.begins
            spans.append((begins, column.ends))
        runs += [_cell(grid, begins, ends, row) for begins, ends in spans]
    return runs


def _is_negative(value: float | None, full: float) -> bool:
    """Whether a cell is visibly below zero; what looks like nothing is not hatched."""
    return value is not None and _shade(value, full) < _MIDDLE - _SEEN
