"""Who should have sent something by now, in session hours only (specs/schwab-wire.md §2.16-2.18). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import filterfalse
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
        missing: list[str] = []
        quiet: list[str] = []
        waited: list[float] = []
        for (reopens, stirs), alike in _by_session(tuple(symbols)).items():
            if (session_s := _age_s(reopens, now)) is None:
                continue
            missing += self._never_heard(alike, now_s - self.timing.first_image_s, session_s)
            heard_s = self._heard_s(alike)
            if session_s >= _QUIET_S:
                quiet += [symbol for symbol, at_s in heard_s.items() if now_s - at_s >= _QUIET_S]
            if stirs and heard_s:
                waited.append(min(now_s - max(heard_s.values()), session_s))
        dead = bool(waited) and min(waited) >= self.timing.data_silence_s
        return Look(tuple(missing), tuple(quiet), dead)

    def _never_heard(self, symbols: Sequence[str], before_s: float, session_s: float) -> list[str]:
        """Those subscribed by then, in a session as old as that, that have sent nothing."""
        if session_s < self.timing.first_image_s:
            return []
        asked_s = self.subscribed_s
        silent = [symbol for symbol in filterfalse(self.arrived_s.__contains__, symbols) if symbol in asked_s]
        return [symbol for symbol in silent if asked_s[symbol] <= before_s]

    def _heard_s(self, symbols: Sequence[str]) -> dict[str, float]:
        """Of those subscribed that have sent something, when they last did."""
        arrived_s, asked_s = self.arrived_s, self.subscribed_s
        return {symbol: arrived_s[symbol] for symbol in symbols if symbol in arrived_s and symbol in asked_s}


@lru_cache(maxsize=2)
def _by_session(symbols: tuple[str, ...]) -> dict[tuple[time | None, bool], tuple[str, ...]]:
    """Symbols by their session and by whether they show that data flows; remembered, since thousands are looked at."""
    found: dict[tuple[time | None, bool], list[str]] = {}
    for symbol in symbols:
        found.setdefault((_reopens(symbol), not is_option(symbol)), []).append(symbol)
    return {kind: tuple(alike) for kind, alike in found.items()}


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
