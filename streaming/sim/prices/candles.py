"""One-minute candles of the tapes. Pure."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from streaming.sim.prices.tape import Tape, to_tick

MINUTE_MS: Final = 60_000
_KEPT: Final = 420
_WANDERS: Final = 0.35
"""How far a made-up day strays from the straight way, relative to its range."""


@dataclass(slots=True)
class MinuteBar:
    """One minute of trading; `start_ms` since 1970."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    seq: int

    def row(self) -> dict[str, Any]:
        """As `/pricehistory` writes it."""
        prices = {"open": self.open, "high": self.high, "low": self.low, "close": self.close}
        return prices | {"volume": self.volume, "datetime": self.start_ms}


@dataclass(slots=True)
class CandleMaker:
    """Builds the candles of one tape from what it shows every second."""

    current: MinuteBar | None = None
    done: deque[MinuteBar] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _volume_before: int = 0
    _made: int = 0

    def recall(self, done: Iterable[MinuteBar]) -> None:
        """Take in the minutes before the first one seen."""
        self.done.extend(done)
        self._made = self.done[-1].seq if self.done else 0

    def see(self, tape: Tape, at_ms: int) -> None:
        """Take in a tape at an instant; a finished minute moves to `done`."""
        start_ms = at_ms // MINUTE_MS * MINUTE_MS
        if self.current is None or self.current.start_ms != start_ms:
            self._begin(tape, start_ms)
        candle = self.current
        if candle is not None:
            candle.close = tape.last
            candle.high, candle.low = max(candle.high, tape.last), min(candle.low, tape.last)
            candle.volume = max(tape.volume - self._volume_before, 0)

    def _begin(self, tape: Tape, start_ms: int) -> None:
        if self.current is not None:
            self.done.append(self.current)
        self._volume_before = tape.volume
        self._made += 1
        self.current = MinuteBar(start_ms, tape.last, tape.last, tape.last, tape.last, 0, self._made)


def made_up_past(tape: Tape, noise: Sequence[float], *, per_s: float, until_ms: int) -> list[MinuteBar]:
    """The minutes of a day so far, one per draw of `noise`: from its open to its last price, within its range."""
    count = len(noise)
    if not count:
        return []
    path = np.cumsum(noise)
    way = np.arange(1, count + 1) / count
    stray = path - way * path[-1]
    reach = _WANDERS * (tape.high - tape.low) / max(float(np.abs(stray).max()), 1e-9)
    closes = np.clip(tape.open + way * (tape.last - tape.open) + reach * stray, tape.low, tape.high)
    prices = [tape.open, *(to_tick(value, tape.tick) for value in closes.tolist())]
    first_ms = until_ms // MINUTE_MS * MINUTE_MS - count * MINUTE_MS
    candles = []
    for i, (start, end) in enumerate(pairwise(prices)):
        high, low = min(max(start, end) + tape.tick, tape.high), max(min(start, end) - tape.tick, tape.low)
        volume = int(60.0 * per_s * (0.6 + 0.8 * abs(noise[i])))
        candles.append(MinuteBar(first_ms + i * MINUTE_MS, start, high, low, end, volume, i + 1))
    return candles
