"""The process that draws: `python -m bot.render.charts.chart_worker`, fed over its standard input until that closes."""

import gc
import traceback
from importlib import import_module
from typing import Any, Final, Protocol

import msgspec

from bot.render.charts import kinds
from bot.render.charts.chart_spec import Chart, Drawn, Failed, chart_decoder, kind_of
from bot.render.theme import THEMES, ChartTheme
from streaming.process.framing import be_polite, frame, take_pipes

_COLLECT_EVERY: Final = 50
_POLITE: Final = 10
"""Niceness: a picture may wait a moment, the feed's beat may not."""


class Painter(Protocol):
    """Draws one kind of chart in one theme."""

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


def main() -> None:
    """Answer requests in order; a picture that fails is answered with its reason and is not the end."""
    pipe, answers = take_pipes()
    be_polite(_POLITE)
    painters = Painters()
    charts = chart_decoder()
    gc.freeze()
    gc.disable()
    drawn = 0
    while (body := pipe.read()) is not None:
        answers.write(frame(msgspec.msgpack.encode(_answer(body, charts, painters))))
        answers.flush()
        drawn += 1
        if drawn % _COLLECT_EVERY == 0:
            gc.collect()


def _answer(body: bytes, charts: msgspec.msgpack.Decoder[Chart], painters: Painters) -> Drawn | Failed:
    try:
        return Drawn(painters.draw(charts.decode(body)))
    except Exception as error:  # noqa: BLE001  # one bad request must not cost the next one its worker
        traceback.print_exc()
        return Failed(f"{type(error).__name__}: {error}"[:500])


if __name__ == "__main__":
    main()
