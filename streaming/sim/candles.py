"""One-minute candles of the tapes. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from streaming.sim.tape import Tape

MINUTE_MS: Final = 60_000
_KEPT: Final = 420


@dataclass(slots=True)
class Candle:
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

    current: Candle | None = None
    done: deque[Candle] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _volume_before: int = 0
    _made: int = 0

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
        self.current = Candle(start_ms, tape.last, tape.last, tape.last, tape.last, 0, self._made)
