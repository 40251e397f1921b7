"""Draws signed flow over a session; runs in the chart worker only."""

import math
from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator

from bot.render.charts.chart_canvas import BILLIONS, ChartCanvas, set_signs, set_time_axis
from bot.render.charts.kinds.flow import FlowChart
from bot.render.charts.signed_cells import HATCH
from bot.render.theme import ChartTheme

_UPPER: Final = (0.155, 0.56, 0.825, 0.22)
_LOWER: Final = (0.155, 0.24, 0.825, 0.22)
_HEADINGS_Y: Final = (0.8, 0.482)
_APART: Final = 0.23
"""Of a panel's height: numbers nearer to each other would touch."""
_INSIDE: Final = 0.9
_MARGIN: Final = 0.06
_MINUTE_S: Final = 60.0
_SPACE_S: Final = 6.0
_LEAST: Final = 1e-9


class FlowPainter:
    """Above a bar for each minute, hatched below zero; under it the line of what they come to."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme, _UPPER)
        self.lower = self.canvas.beside(_LOWER)
        self._headings = [self.canvas.words(_UPPER[0], y, theme.muted) for y in _HEADINGS_Y]
        self._bars = self.canvas.signed_bars(HATCH, linewidths=0)
        self._line = self.lower.add_line(Line2D([], [], color=theme.spot, linewidth=3.2, solid_capstyle="round"))
        for axes in self._panels:
            axes.axhline(0.0, color=theme.text, linewidth=1.2)
        self.canvas.axes.tick_params(labelbottom=False)

    @property
    def _panels(self) -> tuple[Axes, Axes]:
        return self.canvas.axes, self.lower

    def draw(self, chart: FlowChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="", below="New York time")
        begins = min(chart.bars[0][0], chart.times[0])
        ends = max(chart.bars[-1][0] + _MINUTE_S, chart.times[-1])
        for axes in self._panels:
            set_time_axis(axes, begins, ends)
        self._head(0, "each minute", [value for _, value in chart.bars])
        self._bars.show((value, _bar(at, value * BILLIONS)) for at, value in chart.bars)
        self._head(1, "in all", [value for value in chart.totals if value is not None])
        totals = [float("nan") if value is None else value * BILLIONS for value in chart.totals]
        self._line.set_data(chart.times, totals)
        return self.canvas.png()

    def _head(self, panel: int, words: str, values: Sequence[float]) -> None:
        """Name a panel with its unit and fit it to millions."""
        self._headings[panel].set_text(f"{words}, $ Bn")
        low, high = min([0.0, *values]) * BILLIONS, max([0.0, *values]) * BILLIONS
        margin = max((high - low) * _MARGIN, _LEAST)
        axes = self._panels[panel]
        axes.set_ylim(low - margin, high + margin)
        ticks = _ticks(low, high)
        axes.yaxis.set_major_locator(FixedLocator(ticks))
        set_signs(axes.yaxis, min(filter(None, map(abs, ticks)), default=1.0))


def _ticks(low: float, high: float) -> list[float]:
    """Zero, and on either side that is long enough one round number."""
    rounds = [math.copysign(_round(_INSIDE * abs(side)), side) for side in (low, high)]
    return [0.0, *(tick for tick in rounds if abs(tick) > _APART * (high - low))]


def _round(value: float) -> float:
    """The largest of 1, 2, 3, 4, 5, 10, 20 ... up to a value; 0 for what is hardly anything."""
    if value < _LEAST:
        return 0.0
    base = 10.0 ** math.floor(math.log10(value))
    return next((step * base for step in (5.0, 4.0, 3.0, 2.0) if step * base <= value), base)


def _bar(at: float, value: float) -> list[tuple[float, float]]:
    left, right = at + _SPACE_S, at + _MINUTE_S - _SPACE_S
    return [(left, 0.0), (left, value), (right, value), (right, 0.0)]
