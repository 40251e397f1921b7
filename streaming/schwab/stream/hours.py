"""When data of a symbol is due: the hours in which silence means something (specs/schwab-wire.md §2.18). Pure.

Deliberately narrow: shares, indexes and options count in their regular session only, futures not on
holidays and not after an early close. A watchdog that sleeps an hour too long is better than one that
cries in a quiet night.
"""

from datetime import datetime, time, timedelta
from typing import Final

from streaming.calendar import close_time, closure, new_york, session_on
from streaming.schwab.stream.routing import level_one_service
from streaming.schwab.wire.services import SERVICE

_PAUSE_FROM: Final = time(17, 0)


def session_age_s(symbol: str, now: datetime) -> float | None:
    """Seconds since the session of a symbol began; None outside its session."""
    reopens = SERVICE[level_one_service(symbol)].reopens
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
