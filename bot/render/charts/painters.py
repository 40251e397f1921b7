"""One painter for each kind and theme, made when first needed; runs in the chart worker only."""

from collections.abc import Callable
from typing import Any, Final, Protocol

from bot.render.charts.chart_canvas import ChartCanvas
from bot.render.charts.chart_spec import Chart
from bot.render.charts.expiries import ExpiriesChart
from bot.render.charts.expiries_painter import ExpiriesPainter
from bot.render.charts.heatmap import HeatmapChart
from bot.render.charts.heatmap_painter import HeatmapPainter
from bot.render.charts.history import HistoryChart
from bot.render.charts.history_painter import HistoryPainter
from bot.render.charts.profile import ProfileChart
from bot.render.charts.profile_painter import ProfilePainter
from bot.render.charts.strikes import StrikesChart
from bot.render.charts.strikes_painter import StrikesPainter
from bot.render.theme import THEMES, ChartTheme


class Painter(Protocol):
    """Draws one kind of chart in one theme."""

    @property
    def canvas(self) -> ChartCanvas:
        """Size and theme, which the worker needs before it draws."""
        ...

    def draw(self, chart: Any) -> bytes:
        """The finished PNG; runs in the worker process."""
        ...


_OF_KIND: Final[dict[type[Chart], Callable[[ChartTheme], Painter]]] = {
    StrikesChart: StrikesPainter,
    ProfileChart: ProfilePainter,
    HistoryChart: HistoryPainter,
    HeatmapChart: HeatmapPainter,
    ExpiriesChart: ExpiriesPainter,
}


class Painters:
    """Draws whatever chart it is given, in `dark` or `light`; any other theme is dark."""

    def __init__(self) -> None:
        self._made: dict[tuple[type[Chart], str], Painter] = {}

    def draw(self, chart: Chart) -> bytes:
        """The picture as PNG; the same chart gives the same bytes."""
        return self.made(chart).draw(chart)

    def made(self, chart: Chart) -> Painter:
        """The painter of this chart's kind and theme."""
        place = (type(chart), chart.theme if chart.theme in THEMES else "dark")
        if place not in self._made:
            self._made[place] = _OF_KIND[type(chart)](THEMES[place[1]])
        return self._made[place]
