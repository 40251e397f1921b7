"""Draws the total across prices with its flips; runs in the chart worker only."""

from typing import Final

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bot.render.charts.chart_canvas import BILLIONS, ChartCanvas, set_signs, shade_across
from bot.render.charts.chart_words import with_band
from bot.render.charts.kinds.profile import ProfileChart
from bot.render.charts.mark_row import MarkRow
from bot.render.theme import ChartTheme

_MARGIN: Final = 0.08
_HATCH: Final = "//"
Floats = NDArray[np.float64]


class ProfilePainter:
    """A curve whose area is plain above zero and hatched below it."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme)
        axes = self.canvas.axes
        self._band = self.canvas.band()
        self._above = self.canvas.polygons(facecolors=theme.positive, alpha=0.55)
        self._below = self.canvas.polygons(
            facecolors=theme.negative, alpha=0.55, hatch=_HATCH, edgecolors=theme.background
        )
        axes.axhline(0.0, color=theme.text, linewidth=1.6)
        self.marks = MarkRow(self.canvas)
        self._curve = axes.add_line(Line2D([], [], color=theme.text, linewidth=2.6))
        dot = {"marker": "o", "markersize": 11.0, "markeredgewidth": 2.6, "linestyle": "none"}
        self._flips = axes.add_line(
            Line2D([], [], color=theme.zero_gamma, markerfacecolor=theme.background, **dot)  # type: ignore[arg-type]  # mixed keyword types
        )

    def draw(self, chart: ProfileChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        below = with_band("price of the underlying, points", chart.band)
        self.canvas.write(chart, unit="$ Bn per 1 % move", below=below)
        levels = np.array([level for level, _ in chart.points])
        totals = np.array([value for _, value in chart.points]) * BILLIONS
        self._move_curve(levels, totals)
        self._flips.set_data([level for level, _ in chart.flips], [0.0] * len(chart.flips))
        shade_across(self._band, chart.band, self.canvas.axes.get_ylim())
        self.marks.show(chart.marks)
        return self.canvas.png()

    def _move_curve(self, levels: Floats, totals: Floats) -> None:
        levels, totals = _with_crossings(levels, totals)
        self._curve.set_data(levels, totals)
        for area, side in ((self._above, np.maximum(totals, 0.0)), (self._below, np.minimum(totals, 0.0))):
            corners = np.column_stack([np.r_[levels, levels[::-1]], np.r_[side, np.zeros_like(side)]])
            area.set_verts([corners])
        low, high = min(0.0, float(totals.min())), max(0.0, float(totals.max()))
        margin = (high - low) * _MARGIN
        self.canvas.axes.set_xlim(float(levels[0]), float(levels[-1]))
        self.canvas.axes.set_ylim(low - margin, high + margin)
        set_signs(self.canvas.axes.yaxis, (high - low) / 5)


def _with_crossings(levels: Floats, totals: Floats) -> tuple[Floats, Floats]:
    """The curve with its own zeros in it, so that both areas end where it crosses."""
    before = np.flatnonzero(totals[:-1] * totals[1:] < 0.0)
    share = totals[before] / (totals[before] - totals[before + 1])
    crossings = levels[before] + share * (levels[before + 1] - levels[before])
    return np.insert(levels, before + 1, crossings), np.insert(totals, before + 1, 0.0)
