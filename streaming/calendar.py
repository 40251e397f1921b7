"""The New York Stock Exchange's sessions, holidays and half days. Pure; instants in, decisions out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from streaming.exchange_days import closed_days, short_days

NEW_YORK: Final = ZoneInfo("America/New_York")
_OPEN: Final = time(9, 30)
_CLOSE: Final = time(16, 0)
_EARLY_CLOSE: Final = time(13, 0)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One regular session; both instants aware, in New York time."""

    date: date
    open_at: datetime
    close_at: datetime
    early_close: str | None
    """Why the session ends at 13:00, or None on a full day."""


_closures = lru_cache(maxsize=16)(closed_days)
_half_days = lru_cache(maxsize=16)(short_days)


def closure(day: date) -> str | None:
    """Why there is no session on `day` ("weekend" or the holiday's name), or None when there is one."""
    if day.weekday() >= _SATURDAY:
        return "weekend"
    return _closures(day.year).get(day)


def close_time(day: date) -> time:
    """When a session on `day` ends in New York: 13:00 on half days, else 16:00."""
    return _EARLY_CLOSE if day in _half_days(day.year) else _CLOSE


@lru_cache(maxsize=1024)
def session_on(day: date) -> TradingSession | None:
    """The session of `day`, or None when the exchange is closed."""
    if closure(day) is not None:
        return None
    return TradingSession(
        date=day,
        open_at=datetime.combine(day, _OPEN, NEW_YORK),
        close_at=datetime.combine(day, close_time(day), NEW_YORK),
        early_close=_half_days(day.year).get(day),
    )


def next_session(after: date) -> TradingSession:
    """The first session on a day later than `after`."""
    day = after + timedelta(days=1)
    while (session := session_on(day)) is None:
        day += timedelta(days=1)
    return session


def session_until_close(at: datetime) -> TradingSession:
    """The session that closes next after an instant: today's until its close, then the one after."""
    day = new_york(at).date()
    today = session_on(day)
    return today if today is not None and at < today.close_at else next_session(day)


def latest_session(by: datetime) -> date:
    """The day of the newest session that has begun by an instant."""
    local = new_york(by)
    day = local.date()
    while (session := session_on(day)) is None or session.open_at > local:
        day -= timedelta(days=1)
    return day


@lru_cache(maxsize=4096)
def settle_at(expiry: date, *, am: bool) -> datetime:
    """The settlement instant of an expiry in UTC: 09:30 for AM contracts, the session's close for PM ones."""
    moment = _OPEN if am else close_time(expiry)
    return datetime.combine(expiry, moment, NEW_YORK).astimezone(UTC)


def new_york(instant: datetime) -> datetime:
    """The same instant on a New York clock; ValueError for a naive one."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place here")
    return instant.astimezone(NEW_YORK)
