"""Draws net gamma and charm's hedge flow side by side over price and time; runs in the chart worker only."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D

from bot.render.charts.chart_canvas import AXES, BILLIONS, STYLES, ChartCanvas, arrows_beyond, set_time_axis
from bot.render.charts.chart_words import Mark
from bot.render.charts.kinds.ahead import AheadChart
from bot.render.charts.mark_row import LegendRow
from bot.render.charts.signed_cells import (
    HATCH,
    Corners,
    Floats,
    SignedScale,
    colours_of,
    full_of,
    is_negative,
    joined,
    shades_of,
)
from bot.render.theme import ChartTheme

_LOW: Final = AXES[1]
_HEIGHT: Final = 0.447
_WIDTH: Final = 0.26
_LEFTS: Final = (AXES[0], 0.545)
_STRIP: Final = (0.008, 0.018)
"""How far right of its panel a scale stands, and how wide it is."""
_HEADING_Y: Final = 0.702
_MOST_TIMES: Final = 3


class AheadPainter:
    """Two panels of one height: what spot would meet, and what time makes dealers trade."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme, (_LEFTS[0], _LOW, _WIDTH, _HEIGHT))
        self.canvas.below.set_x(0.5)
        right = self.canvas.beside((_LEFTS[1], _LOW, _WIDTH, _HEIGHT))
        right.tick_params(labelleft=False)
        self.panels = [_Panel(self.canvas, axes, x) for axes, x in zip((self.canvas.axes, right), _LEFTS, strict=True)]
        self.legend = LegendRow(self.canvas)

    def draw(self, chart: AheadChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="", below="New York time")
        self.canvas.left.set_text("points")
        prices = np.array(chart.prices)
        edges = _edges(prices)
        seen = {mark.kind for mark in chart.marks if edges[0] <= mark.value <= edges[-1]}
        for panel, cells, words in zip(
            self.panels, (chart.gamma, chart.flow), ("net GEX, $ Bn per 1 %", "charm flow, $ Bn"), strict=True
        ):
            panel.show(chart, np.array(cells).reshape(prices.size, -1), edges, words)
            panel.mark([mark for mark in chart.marks if mark.kind in seen])
        self.legend.show(chart.marks, drawn=seen, arrows=arrows_beyond(chart.marks, edges[0], edges[-1]))
        return self.canvas.png()


def _edges(prices: Floats) -> Floats:
    """The borders of rows whose middles are even prices."""
    half = 0.5 * (prices[-1] - prices[0]) / max(prices.size - 1, 1) or 0.5
    return np.append(prices - half, prices[-1] + half)


class _Panel:
    """Axes whose cells are changed for every picture, with a scale of their own."""

    def __init__(self, canvas: ChartCanvas, axes: Axes, left: float) -> None:
        self._axes = axes
        axes.grid(visible=False)
        self._colours = colours_of(canvas.theme)
        self._image = axes.imshow(np.zeros((1, 1, 4)), aspect="auto", origin="lower", interpolation="nearest")
        self._negative = PolyCollection(
            [], facecolors="none", hatch=HATCH, edgecolors=canvas.theme.background, linewidths=0
        )
        axes.add_collection(self._negative, autolim=False)
        self._lines = {kind: self._line(canvas, kind) for kind in reversed(STYLES)}
        self._heading = canvas.words(left, _HEADING_Y, canvas.theme.muted)
        gap, width = _STRIP
        self.scale = SignedScale(canvas, (left + _WIDTH + gap, _LOW, width, _HEIGHT))

    def show(self, chart: AheadChart, cells: Floats, edges: Floats, words: str) -> None:
        """Colour and hatch `cells`, of shape (prices, times), and say what they are."""
        full = full_of(cells)
        self._heading.set_text(words)
        self.scale.label(full * BILLIONS)
        shades = shades_of(cells, full)
        self._image.set_data(self._colours(shades))
        self._image.set_extent((chart.times[0], chart.ends, float(edges[0]), float(edges[-1])))
        self._negative.set_verts(_patches(is_negative(shades), (*chart.times, chart.ends), edges))
        set_time_axis(self._axes, chart.times[0], chart.ends, most=_MOST_TIMES)
        self._axes.set_ylim(float(edges[0]), float(edges[-1]))

    def mark(self, marks: Sequence[Mark]) -> None:
        """Draw these levels across, and no others."""
        for line in self._lines.values():
            line.set_visible(False)
        for mark in marks:
            self._lines[mark.kind].set_ydata([mark.value, mark.value])
            self._lines[mark.kind].set_visible(True)

    def _line(self, canvas: ChartCanvas, kind: str) -> Line2D:
        style: dict[str, Any] = {"color": canvas.colour(kind), "linestyle": STYLES[kind]}
        return self._axes.axhline(0.0, linewidth=3.2 if kind == "spot" else 2.8, **style)


def _patches(negative: Any, times: Sequence[float], edges: Floats) -> list[Corners]:
    rows: list[Corners] = []
    for row, low, high in zip(negative, edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        rows += joined([(times[n], times[n + 1]) for n in np.flatnonzero(row).tolist()], low, high)
    return rows
