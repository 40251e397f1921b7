"""One painter for each kind and theme, made when first needed; runs in the chart worker only."""

from importlib import import_module
from typing import Any, Protocol

from bot.render.charts import kinds
from bot.render.charts.chart_canvas import ChartCanvas
from bot.render.charts.chart_spec import Chart, kind_of
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
            self._made[place] = _painter_of(chart, THEMES[place[1]])
        return self._made[place]


def _painter_of(chart: Chart, theme: ChartTheme) -> Painter:
    module, name = kind_of(chart).painter.split(".")
    painter: Painter = getattr(import_module(f"{kinds.__name__}.{module}"), name)(theme)
    return painter
