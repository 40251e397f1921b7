"""The process that draws: `python -m bot.render.charts.chart_worker`, fed over its standard input until that closes."""

import gc
import os
import traceback
from typing import Final

import msgspec

from bot.render.charts.chart_spec import Chart, Drawn, Failed, chart_decoder
from bot.render.charts.painters import Painters
from streaming.process.framing import frame, take_pipes

_COLLECT_EVERY: Final = 50
_POLITE: Final = 10
"""Niceness: a picture may wait a moment, the feed's beat may not."""


def main() -> None:
    """Answer requests in order; a picture that fails is answered with its reason and is not the end."""
    pipe, answers = take_pipes()
    os.nice(_POLITE)
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
