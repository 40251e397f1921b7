"""Who should have sent something by now, in session hours only (specs/schwab-wire.md §2.16-2.18). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from streaming.schwab.stream.hours import session_age_s
from streaming.schwab.stream.policy import StreamTiming
from streaming.symbols import is_option

_QUIET_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Look:
    """What the watch sees at one moment."""

    missing: tuple[str, ...] = ()
    """Subscribed for a while in session, and not even a first image came: a symbol Schwab does not know?"""
    quiet: tuple[str, ...] = ()
    """Without a change for five minutes of its session; normal for what is hardly traded."""
    dead: bool = False
    """Nothing that should move does: the stream has lost its data although it is alive."""


@dataclass(slots=True)
class DataWatch:
    """Arrivals of one connection, by symbol, in monotonic seconds."""

    timing: StreamTiming
    subscribed_s: dict[str, float] = field(default_factory=dict)
    arrived_s: dict[str, float] = field(default_factory=dict)

    def subscribed(self, keys: Iterable[str], now_s: float) -> None:
        """Level one of these symbols was acknowledged."""
        for key in keys:
            self.subscribed_s.setdefault(key, now_s)

    def unsubscribed(self, keys: Iterable[str]) -> None:
        """These symbols are not expected any more."""
        for key in keys:
            self.subscribed_s.pop(key, None)
            self.arrived_s.pop(key, None)

    def look(self, symbols: Iterable[str], now: datetime, now_s: float) -> Look:
        """Judge the wanted symbols; one outside its session is never missed."""
        missing, quiet, waited = [], [], []
        for symbol in symbols:
            silence_s = self._silence_s(symbol, now, now_s)
            if silence_s is None:
                continue
            if symbol not in self.arrived_s:
                if silence_s >= self.timing.first_image_s:
                    missing.append(symbol)
                continue
            if silence_s >= _QUIET_S:
                quiet.append(symbol)
            if not is_option(symbol):
                waited.append(silence_s)
        dead = bool(waited) and min(waited) >= self.timing.data_silence_s
        return Look(tuple(missing), tuple(quiet), dead)

    def _silence_s(self, symbol: str, now: datetime, now_s: float) -> float | None:
        """How long nothing came while something should have; None when nothing should."""
        asked_s = self.subscribed_s.get(symbol)
        open_s = session_age_s(symbol, now)
        if asked_s is None or open_s is None:
            return None
        return min(now_s - self.arrived_s.get(symbol, asked_s), open_s)
