"""Who should have sent something by now, in session hours only (specs/schwab-wire.md §2.16-2.18). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final

from streaming.calendar import close_time, closure, new_york, session_on
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import level_one_service
from streaming.schwab.wire.service_table import SERVICE
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
        open_s = {reopens: _age_s(reopens, now) for reopens in _REOPENINGS}
        missing, quiet, waited = [], [], []
        for symbol in symbols:
            silence_s = self._silence_s(symbol, open_s, now_s)
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

    def _silence_s(self, symbol: str, open_s: Mapping[time | None, float | None], now_s: float) -> float | None:
        """How long nothing came while something should have; None when nothing should."""
        asked_s = self.subscribed_s.get(symbol)
        if asked_s is None or (session_s := open_s[_reopens(symbol)]) is None:
            return None
        return min(now_s - self.arrived_s.get(symbol, asked_s), session_s)


_REOPENINGS: Final = frozenset(one.reopens for one in SERVICE.values())


@lru_cache(maxsize=16_384)
def _reopens(symbol: str) -> time | None:
    """What kind of session a symbol has: when its trading day begins, None for regular hours."""
    return SERVICE[level_one_service(symbol)].reopens


_PAUSE_FROM: Final = time(17, 0)


def session_age_s(symbol: str, now: datetime) -> float | None:
    """Seconds since the session of a symbol began; None outside its session.

    Deliberately narrow: shares, indexes and options count in their regular session only, futures not on holidays and
    not after an early close. A watchdog that sleeps an hour too long is better than one that cries in a quiet night.
    """
    return _age_s(_reopens(symbol), now)


def _age_s(reopens: time | None, now: datetime) -> float | None:
    began_at = _regular_start(now) if reopens is None else _day_start(now, reopens)
    return None if began_at is None else (now - began_at).total_seconds()


def _regular_start(now: datetime) -> datetime | None:
    session = session_on(new_york(now).date())
    return session.open_at if session is not None and session.open_at <= now < session.close_at else None


def _day_start(now: datetime, reopens: time) -> datetime | None:
    """The start of a trading day that runs from the evening before to 17:00."""
    local = new_york(now)
    if _PAUSE_FROM <= local.time() < reopens:
        return None
    evening = local.date() - timedelta(days=local.time() < _PAUSE_FROM)
    day = evening + timedelta(days=1)
    if closure(day) is not None:
        return None
    shortened = close_time(day) < time(16)
    if shortened and local.date() == day and local.time() >= close_time(day):
        return None
    return datetime.combine(evening, reopens, local.tzinfo)
