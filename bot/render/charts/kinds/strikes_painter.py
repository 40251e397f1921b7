"""Draws exposure by strike; runs in the chart worker only."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from bot.render.charts.chart_canvas import ChartCanvas, shade_across, unit_of
from bot.render.charts.chart_words import with_band
from bot.render.charts.kinds.strikes import Bar, StrikesChart
from bot.render.charts.mark_row import MarkRow
from bot.render.theme import ChartTheme

_BAR_SHARE: Final = 0.82


class StrikesPainter:
    """Bars from zero up or down, whose artists are made once and moved for every picture."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme)
        self.canvas.axes.axhline(0.0, color=theme.faint, linewidth=1.2)
        self._band = self.canvas.band()
        self._bars = self.canvas.polygons(linewidths=0)
        self.marks = MarkRow(self.canvas)

    def draw(self, chart: StrikesChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        unit, scale = unit_of([value for _, value in chart.bars])
        self.canvas.write(chart, unit=f"$ {unit} per 1 % move", below=with_band("strike, points", chart.band))
        self._move_bars([(strike, value * scale) for strike, value in chart.bars])
        shade_across(self._band, chart.band, self.canvas.axes.get_ylim())
        self.marks.show(chart.marks)
        return self.canvas.png()

    def _move_bars(self, bars: Sequence[Bar]) -> None:
        half = _bar_width([strike for strike, _ in bars]) / 2
        theme, axes = self.canvas.theme, self.canvas.axes
        self._bars.set_verts([[(x - half, 0.0), (x - half, y), (x + half, y), (x + half, 0.0)] for x, y in bars])
        self._bars.set_facecolor([theme.positive if y >= 0 else theme.negative for _, y in bars])
        low, high = min(0.0, *(y for _, y in bars)), max(0.0, *(y for _, y in bars))
        margin = (high - low) * 0.06
        axes.set_xlim(bars[0][0] - 2 * half, bars[-1][0] + 2 * half)
        axes.set_ylim(low - margin, high + margin)
        self.canvas.signs_on_y(low, high)


def _bar_width(strikes: Sequence[float]) -> float:
    gaps = [after - before for before, after in pairwise(strikes) if after > before]
    return _BAR_SHARE * (median(gaps) if gaps else max(abs(strikes[0]) * 0.002, 0.5))
