"""What the stream client counts and what it says about itself."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from streaming.schwab.wire.rows import DataBlock, service_of
from streaming.status import ConnectionStatus

ClientState = Literal[
    "idle", "connecting", "login", "ready", "live", "backoff", "refused", "needs_login", "taken_over", "stopped"
]
_RATE_WINDOW_S: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamClientStatus(ConnectionStatus):
    """One look at the stream client: its connection, and what it has counted over all of them."""

    connects: int
    frames: Mapping[str, int]
    """Data frames by service since the client was made."""
    last_frame_at: datetime | None
    events: int
    bad_frames: int
    tolerant_frames: int
    dropped_rows: int
    sink_errors: int
    problems: tuple[str, ...]
    """The latest refusals and oddities, oldest first."""


class FrameRate:
    """Frames per second over the last ten whole seconds."""

    def __init__(self) -> None:
        self._seconds: deque[list[int]] = deque(maxlen=_RATE_WINDOW_S + 1)
        self._first_second: int | None = None

    def count(self, now_s: float, frames: int = 1) -> None:
        """Some frames now."""
        second = int(now_s)
        if self._first_second is None:
            self._first_second = second
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1][1] += frames
        else:
            self._seconds.append([second, frames])

    def per_s(self, now_s: float) -> float:
        """The mean of the window, or of the time since the first frame while that is shorter; whole seconds only."""
        second = int(now_s)
        if self._first_second is None or second <= self._first_second:
            return 0.0
        window_s = min(_RATE_WINDOW_S, second - self._first_second)
        return sum(n for at, n in self._seconds if second - window_s <= at < second) / window_s


@dataclass(slots=True)
class StreamCounters:
    """What accumulates over all connections of a client."""

    connects: int = 0
    reconnects: int = 0
    events: int = 0
    bad_frames: int = 0
    tolerant_frames: int = 0
    dropped_rows: int = 0
    sink_errors: int = 0
    last_close: str | None = None
    last_login_at: datetime | None = None
    last_frame_at: datetime | None = None
    flowed_at: datetime | None = None
    """The last frame of a connection that had brought data."""
    gaps: int = 0
    gap_s: float = 0.0
    last_gap_s: float | None = None
    frames: dict[str, int] = field(default_factory=dict)
    last_event_s: dict[str, float] = field(default_factory=dict)
    """By symbol; none stays that is subscribed no more, or weeks of new options would only add to it."""
    unavailable: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    problems: deque[str] = field(default_factory=lambda: deque(maxlen=20))
    rate: FrameRate = field(default_factory=FrameRate)
    rates: dict[str, FrameRate] = field(default_factory=dict)

    def count_blocks(self, blocks: Iterable[DataBlock], now_s: float) -> None:
        """These data blocks arrived."""
        for kind, number in Counter(map(type, blocks)).items():
            service = service_of(kind)
            self.frames[service] = self.frames.get(service, 0) + number
            if (rate := self.rates.get(service)) is None:
                rate = self.rates[service] = FrameRate()
            rate.count(now_s, number)

    def forget(self, symbols: Iterable[str]) -> None:
        """These are not subscribed any more."""
        for symbol in symbols:
            self.last_event_s.pop(symbol, None)

    def keep(self, symbols: Iterable[str]) -> None:
        """Only these will be subscribed: what else came over a connection that is gone is nobody's any more."""
        self.forget(self.last_event_s.keys() - frozenset(symbols))

    def resumed(self, at: datetime) -> float | None:
        """A connection brings its first data; how long there was none since another one did, None for the first."""
        if self.flowed_at is None:
            return None
        self.last_gap_s = max((at - self.flowed_at).total_seconds(), 0.0)
        self.gaps += 1
        self.gap_s += self.last_gap_s
        return self.last_gap_s

    def symbol_ages_s(self, symbols: Iterable[str], now_s: float) -> dict[str, float | None]:
        """Age of each symbol's last event."""
        seen = self.last_event_s
        return {symbol: now_s - seen[symbol] if symbol in seen else None for symbol in symbols}
