"""Draws exposure by strike; runs in the chart worker only."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from matplotlib.collections import PolyCollection

from bot.render.charts.chart_canvas import BILLIONS, ChartCanvas, set_signs, shade_across
from bot.render.charts.chart_words import with_band
from bot.render.charts.kinds.strikes import Bar, StrikesChart
from bot.render.charts.mark_row import MarkRow
from bot.render.theme import ChartTheme

_BAR_SHARE: Final = 0.82
_NET_SHARE: Final = 0.55
"""Of the width of a bar where its calls and puts stand behind it."""
_PALE: Final = 0.38


class StrikesPainter:
    """Bars from zero up or down, pale ones of calls and puts behind them; made once and moved for every picture."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme)
        self.canvas.axes.axhline(0.0, color=theme.faint, linewidth=1.2)
        self._band = self.canvas.band()
        self._sides = self.canvas.polygons(linewidths=0, alpha=_PALE)
        self._bars = self.canvas.polygons(linewidths=0)
        self.marks = MarkRow(self.canvas)

    def draw(self, chart: StrikesChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="$ Bn per 1 % move", below=with_band("strike, points", chart.band))
        sides = [(strike, value * BILLIONS) for strike, *values in chart.sides for value in values]
        self._move_bars([(strike, value * BILLIONS) for strike, value in chart.bars], sides)
        shade_across(self._band, chart.band, self.canvas.axes.get_ylim())
        self.marks.show(chart.marks)
        return self.canvas.png()

    def _move_bars(self, bars: Sequence[Bar], sides: Sequence[Bar]) -> None:
        half = bar_width([strike for strike, _ in bars]) / 2
        axes = self.canvas.axes
        self._place(self._sides, sides, half)
        self._place(self._bars, bars, half * _NET_SHARE if sides else half)
        heights = [y for _, y in (*bars, *sides)]
        low, high = min(0.0, *heights), max(0.0, *heights)
        margin = (high - low) * 0.06
        axes.set_xlim(bars[0][0] - 2 * half, bars[-1][0] + 2 * half)
        axes.set_ylim(low - margin, high + margin)
        set_signs(axes.yaxis, (high - low) / 5)

    def _place(self, polygons: PolyCollection, bars: Sequence[Bar], half: float) -> None:
        theme = self.canvas.theme
        polygons.set_verts([[(x - half, 0.0), (x - half, y), (x + half, y), (x + half, 0.0)] for x, y in bars])
        polygons.set_facecolor([theme.positive if y >= 0 else theme.negative for _, y in bars])


def bar_width(strikes: Sequence[float]) -> float:
    """Of the usual distance between strikes, so that neighbours do not touch."""
    gaps = [after - before for before, after in pairwise(strikes) if after > before]
    return _BAR_SHARE * (median(gaps) if gaps else max(abs(strikes[0]) * 0.002, 0.5))
