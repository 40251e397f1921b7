"""Draws levels over a session; runs in the chart worker only."""

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from bot.render.charts.chart_canvas import STYLES, ChartCanvas, arrows_beyond, set_time_axis
from bot.render.charts.chart_words import Band, Mark, clock, with_band
from bot.render.charts.kinds.history import HistoryChart, Series
from bot.render.charts.mark_row import LegendRow
from bot.render.theme import ChartTheme
from streaming.clock import date_of

_MARGIN: Final = 0.06
_FAR: Final = 0.03
"""Levels this far beyond the prices of the day are named with an arrow instead of drawn."""
_MOST_DAYS: Final = 6
_WALLS: Final = ("call_wall", "put_wall")


class HistoryPainter:
    """Four lines told apart by colour and pattern, named with their newest figure."""

    def __init__(self, theme: ChartTheme) -> None:
        self.canvas = ChartCanvas(theme)
        self._band = self.canvas.band()
        self._lines = {kind: self.canvas.line(kind) for kind in reversed(STYLES)}
        for kind in _WALLS:
            self._lines[kind].set_drawstyle("steps-post")
        self.legend = LegendRow(self.canvas)

    def draw(self, chart: HistoryChart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        self.canvas.write(chart, unit="", below=_below(chart))
        self.canvas.left.set_text("points")
        for series in chart.series:
            self._lines[series.kind].set_data(chart.times, [_or_nan(value) for value in series.values])
        if chart.days:
            _set_day_axis(self.canvas.axes, chart.days)
        else:
            set_time_axis(self.canvas.axes, chart.times[0], chart.times[-1])
        low, high = self._fit(chart)
        self._shade(chart.band, chart.times[-1])
        newest = [Mark(series.kind, series.name, _or_nan(series.values[-1])) for series in chart.series]
        arrows = arrows_beyond(newest, low, high)
        self.legend.show(newest, drawn=self._lines.keys() - arrows.keys(), arrows=arrows)
        return self.canvas.png()

    def _shade(self, band: Band | None, ends: float) -> None:
        if band is None or band.begins is None:
            self._band.set_verts([])
            return
        begins, low, high = band.begins, band.low, band.high
        self._band.set_verts([[(begins, low), (begins, high), (ends, high), (ends, low)]])

    def _fit(self, chart: HistoryChart) -> tuple[float, float]:
        """Show all of spot, and of the levels what is not far from it: a far wall would press the day into one line."""
        edges = () if chart.band is None else (chart.band.low, chart.band.high)
        low, high = _extent(chart.series, edges)
        margin = max((high - low) * _MARGIN, abs(high) * 1e-4)
        self.canvas.axes.set_ylim(low - margin, high + margin)
        return low - margin, high + margin


def _set_day_axis(axes: Axes, days: Sequence[str]) -> None:
    """Span the axis over sessions counted from 0 and label some of them, none at its ends."""
    last = len(days) - 1
    axes.set_xlim(0, last)
    places = sorted({round(last * (step + 0.5) / _MOST_DAYS) for step in range(_MOST_DAYS)})
    axes.xaxis.set_major_locator(FixedLocator(places))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda place, _: _short(days[min(max(round(place), 0), last)])))


def _short(day: str) -> str:
    found = date_of(day)
    return "" if found is None else f"{found.day} {found:%b}"


def _below(chart: HistoryChart) -> str:
    if chart.days:
        return "sessions"
    since = "" if chart.band is None or chart.band.begins is None else f" at {clock(chart.band.begins)}"
    return with_band("New York time", chart.band) + since


def _extent(series: Sequence[Series], edges: Sequence[float]) -> tuple[float, float]:
    values = [*edges, *(value for one in series for value in one.values if value is not None)]
    spots = [value for one in series for value in one.values if value is not None and one.kind == "spot"]
    if spots:
        values = [value for value in values if min(spots) * (1 - _FAR) <= value <= max(spots) * (1 + _FAR)]
    return min(values), max(values)


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
