"""Draws calls and puts of the strikes around spot, one row each; runs in the chart worker only."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from matplotlib.lines import Line2D
from matplotlib.text import Text

from bot.render.charts.chart_canvas import (
    BILLIONS,
    STYLES,
    TEXT_PT,
    ChartCanvas,
    InnerLocator,
    arrows_beyond,
    bar_figure,
    set_signs,
)
from bot.render.charts.kinds.ladder import MINUTES, MOST_NAMED, LadderChart, LadderStep
from bot.render.charts.kinds.strikes_painter import bar_width
from bot.render.charts.mark_row import LegendRow
from bot.render.numbers import known
from bot.render.theme import ChartTheme

_HATCH: Final = "//"
_PALE: Final = 0.38
_NET_SHARE: Final = 0.5
"""Of a row's height where its calls and puts lie behind it."""
_ROOM: Final = 0.34
"""Of the bars' span, beside the longest one for its figure."""
_APART: Final = 0.02
_NEWEST, _OLDEST = 0.95, 0.35
"""How strong the dots of one and of thirty minutes ago are."""
Corners = list[tuple[float, float]]


class LadderPainter:
    """Puts to the left, calls to the right, the net over both; price and levels run across."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme)
        axes = self.canvas.axes
        axes.axvline(0.0, color=theme.text, linewidth=1.6)
        axes.xaxis.set_major_locator(InnerLocator(4, edge=0.08))
        self._sides = self.canvas.signed_bars(_HATCH, linewidths=0, alpha=_PALE)
        self._net = self.canvas.signed_bars(_HATCH, linewidths=0)
        self._lines = {
            kind: axes.axhline(0.0, color=self.canvas.colour(kind), linestyle=STYLES[kind]) for kind in STYLES
        }
        self._dots = [axes.add_line(_dots(theme, age)) for age in range(len(MINUTES))]
        self.legend = LegendRow(self.canvas)
        self.figures = [self._figure() for _ in range(MOST_NAMED)]

    def draw(self, chart: LadderChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="$ Bn per 1 % move", below="puts −, calls +")
        self.canvas.left.set_text("points")
        half = bar_width([row.strike for row in chart.rows]) / 2
        self._sides.show(_bars([(row.strike, side) for row in chart.rows for side in (row.call, row.put)], half))
        with_sides = any(row.call is not None for row in chart.rows)
        net_half = half * _NET_SHARE if with_sides else half
        self._net.show(_bars([(row.strike, row.net) for row in chart.rows], net_half))
        self._move_dots(chart.rows)
        self._set_limits(chart.rows, half)
        self._name(chart)
        self._move_lines(chart)
        return self.canvas.png()

    def _set_limits(self, rows: Sequence[LadderStep], half: float) -> None:
        values = [value * BILLIONS for value in _values(rows)]
        low, high = min(0.0, *values), max(0.0, *values)
        axes, span = self.canvas.axes, high - low
        axes.set_xlim(low - span * _ROOM, high + span * _ROOM)
        axes.set_ylim(rows[0].strike - 2 * half, rows[-1].strike + 2 * half)
        set_signs(axes.xaxis, span / 4)

    def _move_dots(self, rows: Sequence[LadderStep]) -> None:
        for age, dots in enumerate(self._dots):
            found = [(row.priors[age], row.strike) for row in rows if age < len(row.priors)]
            shown = [(value * BILLIONS, strike) for value, strike in found if known(value)]
            dots.set_data([value for value, _ in shown], [strike for _, strike in shown])

    def _name(self, chart: LadderChart) -> None:
        low, high = self.canvas.axes.get_xlim()
        for text in self.figures:
            text.set_visible(False)
        for text, place in zip(self.figures, chart.named, strict=False):
            row = chart.rows[place]
            values = [value * BILLIONS for value in _values([row])]
            right = row.net >= 0
            end = max(0.0, *values) if right else min(0.0, *values)
            text.set_position((end + (high - low) * (_APART if right else -_APART), row.strike))
            text.set_text(bar_figure(row.net * BILLIONS, max(-low, high)))
            text.set_horizontalalignment("left" if right else "right")
            text.set_visible(True)

    def _move_lines(self, chart: LadderChart) -> None:
        low, high = self.canvas.axes.get_ylim()
        inside = {mark.kind: mark.value for mark in chart.marks if low <= mark.value <= high}
        for kind, line in self._lines.items():
            line.set_ydata([inside.get(kind, low)] * 2)
            line.set_visible(kind in inside)
        self.legend.show(chart.marks, drawn=inside, arrows=arrows_beyond(chart.marks, low, high))

    def _figure(self) -> Text:
        theme = self.canvas.theme
        behind: dict[str, Any] = {"facecolor": theme.panel, "alpha": 0.75, "linewidth": 0, "pad": 1.0}
        return self.canvas.axes.text(
            0.0, 0.0, "", fontsize=TEXT_PT, weight="bold", color=theme.text, va="center_baseline", bbox=behind
        )


def _dots(theme: ChartTheme, age: int) -> Line2D:
    strength = _NEWEST + (_OLDEST - _NEWEST) * age / (len(MINUTES) - 1)
    style: dict[str, Any] = {"marker": "o", "markersize": 5.5, "linestyle": "none", "markeredgewidth": 1.2}
    return Line2D([], [], color=theme.text, alpha=strength, markeredgecolor=theme.background, **style)


def _values(rows: Iterable[LadderStep]) -> Iterable[float]:
    for row in rows:
        yield from (value for value in (row.net, row.call, row.put, *row.priors) if known(value))


def _bars(rows: Iterable[tuple[float, float | None]], half: float) -> list[tuple[float, Corners]]:
    return [(value, _bar(strike, value * BILLIONS, half)) for strike, value in rows if known(value)]


def _bar(strike: float, value: float, half: float) -> Corners:
    return [(0.0, strike - half), (value, strike - half), (value, strike + half), (0.0, strike + half)]
