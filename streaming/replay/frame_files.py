"""Captured Schwab frames, one a line, through the decoder and merger that live frames go through."""

import logging
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streaming.clock import Clock, epoch_ms
from streaming.errors import ContractError, RequestError
from streaming.model import OptionQuote
from streaming.ports import EventSink
from streaming.process.packed import open_unpacked
from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire.frames import Frame, decode_frame
from streaming.schwab.wire.values import instant_ms

_LOG: Final = logging.getLogger(__name__)
_LONGEST_PAUSE_S: Final = 10.0
_YIELD_EVERY: Final = 64
_LONGEST_LINE: Final = 16 << 20


@dataclass(slots=True)
class ReplayReport:
    """What came of a replay."""

    lines: int = 0
    frames: int = 0
    events: int = 0
    malformed: int = 0
    """Lines that hold no frame."""
    first_malformed: int | None = None
    """Number of the first such line, counted from 1."""


async def replay_frames(path: Path, *, speed: float, sink: EventSink, clock: Clock) -> ReplayReport:
    """Push the frames of a `.jsonl` file, plain or gzip, into `sink` at `speed` times their own pace.

    Speed 0 means without pauses; a gap in the recording never pauses for more than ten seconds. Lines
    that hold no frame are counted and passed over. Raises RequestError when the file cannot be read or
    when not one of its lines holds a frame.
    """
    if speed < 0:
        raise RequestError("A replay cannot run backwards.", remedy="Use a speed of 0 or more.")
    replay = _Replay(sink, clock, speed)
    for number, line in enumerate(_lines(path), start=1):
        await replay.take(number, line)
    report = replay.report
    if not report.frames:
        raise RequestError(
            f"{path} holds no frame from Schwab in its {report.lines} lines.",
            remedy="Give a file with one text frame of the streamer on each line.",
        )
    return report


class _Replay:
    def __init__(self, sink: EventSink, clock: Clock, speed: float) -> None:
        self._sink = sink
        self._clock = clock
        self._speed = speed
        self._merger = Merger(source="replay")
        self._previous_ms = 0
        self.report = ReplayReport()

    async def take(self, number: int, line: bytes) -> None:
        report = self.report
        report.lines = number
        if not line.strip():
            return
        try:
            frame = decode_frame(line)
        except ContractError as error:
            report.malformed += 1
            report.first_malformed = report.first_malformed or number
            if report.malformed.bit_count() == 1:  # the 1st, 2nd, 4th ... so that a foreign file cannot fill the log
                _LOG.warning("Line %d: %s %d such lines so far.", number, error, report.malformed)
            return
        report.frames += 1
        await self._pause_before(frame)
        merged = self._merger.apply(frame.blocks, epoch_ms(self._clock.now()))
        events = [event for event in merged if not isinstance(event, OptionQuote)]
        report.events += len(events)
        self._sink.publish(events)

    async def _pause_before(self, frame: Frame) -> None:
        """Wait as long as the recording did; without a pace, still let others run now and then."""
        moment_ms = max((instant_ms(block.timestamp) for block in frame.blocks), default=0)
        gap_s = (moment_ms - self._previous_ms) / 1000.0 if moment_ms and self._previous_ms else 0.0
        self._previous_ms = max(self._previous_ms, moment_ms)
        if self._speed > 0:
            await self._clock.sleep(min(max(gap_s, 0.0) / self._speed, _LONGEST_PAUSE_S))
        elif self.report.frames % _YIELD_EVERY == 0:
            await self._clock.sleep(0.0)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with open_unpacked(path) as source:
            while line := source.readline(_LONGEST_LINE):
                if len(line) == _LONGEST_LINE:
                    raise RequestError(f"{path} has a line of more than {_LONGEST_LINE >> 20} MB: those are no frames.")
                yield line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise RequestError(f"{path} cannot be read: {reason}.") from error
