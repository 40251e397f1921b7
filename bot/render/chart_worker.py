"""The process that draws: `python -m bot.render.chart_worker`, fed over its standard input until that closes."""

import gc
import os
import signal
import sys
import traceback
from typing import BinaryIO, Final

import msgspec

from bot.render.chart_spec import Drawn, Failed, StrikesChart
from bot.render.framing import HEADER, frame
from bot.render.strikes_painter import StrikesPainter, painter

_COLLECT_EVERY: Final = 50
_POLITE: Final = 5
"""Niceness: a picture may wait a moment, the feed's beat may not."""


def main() -> None:
    """Answer requests in order; a picture that fails is answered with its reason and is not the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the bot ends us by closing our input
    os.nice(_POLITE)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the frames
    painters: dict[str, StrikesPainter] = {}
    gc.freeze()
    gc.disable()
    drawn = 0
    while (body := _read_frame(sys.stdin.buffer)) is not None:
        answers.write(frame(msgspec.msgpack.encode(_answer(body, painters))))
        answers.flush()
        drawn += 1
        if drawn % _COLLECT_EVERY == 0:
            gc.collect()


def _answer(body: bytes, painters: dict[str, StrikesPainter]) -> Drawn | Failed:
    try:
        chart = msgspec.msgpack.decode(body, type=StrikesChart)
        if chart.theme not in painters:
            painters[chart.theme] = painter(chart.theme)
        return Drawn(painters[chart.theme].draw(chart))
    except Exception as error:  # noqa: BLE001  # one bad request must not cost the next one its worker
        traceback.print_exc()
        return Failed(f"{type(error).__name__}: {error}"[:500])


def _read_frame(source: BinaryIO) -> bytes | None:
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = source.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    main()
