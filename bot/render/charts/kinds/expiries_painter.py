"""Draws exposure by expiry; runs in the chart worker only."""

from typing import Final

from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from bot.render.charts.chart_canvas import BILLIONS, TEXT_PT, ChartCanvas, bar_figure
from bot.render.charts.kinds.expiries import MOST_ROWS, ExpiriesChart
from bot.render.theme import ChartTheme

_AXES: Final = (0.235, 0.13, 0.745, 0.71)
_BAR: Final = 0.7
_HATCH: Final = "//"
_ROOM: Final = 0.3
"""Of the bars' span, beside the longest one for its figure."""
_APART: Final = 0.015
_FEWEST_SLOTS: Final = 4


class ExpiriesPainter:
    """One row for each expiry: a bar to the right for calls, hatched to the left for puts, its figure beside it."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme, _AXES)
        axes = self.canvas.axes
        axes.grid(visible=False)
        axes.axvline(0.0, color=theme.text, linewidth=1.6)
        self._bars = self.canvas.signed_bars(_HATCH, linewidths=0)
        self.figures = [self._figure() for _ in range(MOST_ROWS + 1)]
        axes.xaxis.set_major_locator(FixedLocator([]))

    def draw(self, chart: ExpiriesChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="$ Bn per 1 %", below="")
        self._move_bars([value * BILLIONS for _, value in chart.rows])
        self.canvas.axes.yaxis.set_major_locator(FixedLocator(list(range(len(chart.rows)))))
        self.canvas.axes.set_yticklabels([name for name, _ in chart.rows])
        return self.canvas.png()

    def _move_bars(self, values: list[float]) -> None:
        low, high = min(0.0, *values), max(0.0, *values)
        span = high - low
        axes = self.canvas.axes
        axes.set_xlim(
            low - (span * _ROOM if low < 0 else span * 0.02), high + (span * _ROOM if high > 0 else span * 0.02)
        )
        axes.set_ylim(max(len(values), _FEWEST_SLOTS) - 0.5, -0.5)
        self._bars.show((value, _bar(row, value)) for row, value in enumerate(values))
        for text in self.figures:
            text.set_visible(False)
        for row, value in enumerate(values):
            self._name(self.figures[row], row, value, _signed(value, max(-low, high)), span * _APART)

    def _name(self, text: Text, row: int, value: float, words: str, apart: float) -> None:
        text.set_position((value + (apart if value >= 0 else -apart), row))
        text.set_text(words)
        text.set_horizontalalignment("left" if value >= 0 else "right")
        text.set_visible(True)

    def _figure(self) -> Text:
        return self.canvas.axes.text(0.0, 0.0, "", fontsize=TEXT_PT, color=self.canvas.theme.text, va="center_baseline")


def _signed(value: float, largest: float) -> str:
    """With its sign, unless it rounds to nothing: the side of the bar tells that one."""
    text = bar_figure(value, largest)
    return text if text.strip("+0.") else text.removeprefix("+")


def _bar(row: int, value: float) -> list[tuple[float, float]]:
    half = _BAR / 2
    return [(0.0, row - half), (value, row - half), (value, row + half), (0.0, row + half)]
