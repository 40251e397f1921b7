"""The process that draws: `python -m bot.render.charts.worker`, fed over its standard input until that closes."""

import gc
import os
import signal
import sys
import traceback
from typing import BinaryIO, Final

import msgspec

from bot.render.charts.chart_spec import Chart, Drawn, Failed
from bot.render.charts.painters import Painters
from streaming.framing import HEADER, frame

_COLLECT_EVERY: Final = 50
_POLITE: Final = 10
"""Niceness: a picture may wait a moment, the feed's beat may not."""


def main() -> None:
    """Answer requests in order; a picture that fails is answered with its reason and is not the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the bot ends us by closing our input
    os.nice(_POLITE)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the frames
    painters = Painters()
    charts = msgspec.msgpack.Decoder(Chart)
    gc.freeze()
    gc.disable()
    drawn = 0
    while (body := _read_frame(sys.stdin.buffer)) is not None:
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


def _read_frame(source: BinaryIO) -> bytes | None:
    header = source.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (length,) = HEADER.unpack(header)
    body = source.read(length)
    return body if len(body) == length else None


if __name__ == "__main__":
    main()
