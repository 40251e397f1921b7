"""The New York Stock Exchange's sessions, holidays and half days. Pure; instants in, decisions out.

Its rules (NYSE Rule 7.2) as they have been since 2004, and the days that no rule told of. The package `holidays` knows
the same, at the price of every country's modules: 19 MB and a tenth of a second in each process. Tests compare the two.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
_OPEN: Final = time(9, 30)
_CLOSE: Final = time(16, 0)
_EARLY_CLOSE: Final = time(13, 0)
_MONDAY: Final = 0
_THURSDAY: Final = 3
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_DAY: Final = timedelta(days=1)
_NEW_YEAR: Final = "New Year's Day"
_INDEPENDENCE: Final = "Independence Day"
_BY_DATE: Final = (
    (1, 1, _NEW_YEAR, 0),
    (6, 19, "Juneteenth National Independence Day", 2022),
    (7, 4, _INDEPENDENCE, 0),
    (12, 25, "Christmas Day", 0),
)
"""With the year from which on each is kept."""
_BY_WEEKDAY: Final = (
    (1, 15, _MONDAY, "Martin Luther King Jr. Day"),
    (2, 15, _MONDAY, "Washington's Birthday"),
    (5, 25, _MONDAY, "Memorial Day"),
    (9, 1, _MONDAY, "Labor Day"),
    (11, 22, _THURSDAY, "Thanksgiving Day"),
)
"""The first such weekday from a date on: a third, last, first or fourth one of its month."""
_MOURNING: Final = "National Day of Mourning for former President"
_ONCE: Final = {
    date(2004, 6, 11): f"{_MOURNING} Ronald Reagan",
    date(2007, 1, 2): f"{_MOURNING} Gerald R. Ford",
    date(2012, 10, 29): "Hurricane Sandy",
    date(2012, 10, 30): "Hurricane Sandy",
    date(2018, 12, 5): f"{_MOURNING} George H. W. Bush",
    date(2025, 1, 9): f"{_MOURNING} Jimmy Carter",
}


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One regular session; both instants aware, in New York time."""

    date: date
    open_at: datetime
    close_at: datetime
    early_close: str | None
    """Why the session ends at 13:00, or None on a full day."""


@lru_cache(maxsize=16)
def _closures(year: int) -> dict[date, str]:
    days = {_from(date(year, month, day), weekday): name for month, day, weekday, name in _BY_WEEKDAY}
    days[_easter(year) - 2 * _DAY] = "Good Friday"
    for month, day, name, since in _BY_DATE:
        if year >= since:
            days |= _observed(date(year, month, day), name)
    return days | {day: why for day, why in _ONCE.items() if day.year == year}


def _from(day: date, weekday: int) -> date:
    return day + (weekday - day.weekday()) % 7 * _DAY


def _observed(day: date, name: str) -> dict[date, str]:
    """A Sunday's holiday is kept on Monday, a Saturday's on Friday, unless a year ends there."""
    if day.weekday() == _SUNDAY:
        return {day + _DAY: f"{name} (observed)"}
    if day.weekday() == _SATURDAY:
        return {} if name == _NEW_YEAR else {day - _DAY: f"{name} (observed)"}
    return {day: name}


def _easter(year: int) -> date:
    """Easter Sunday by the Gregorian reckoning (Meeus, *Astronomical Algorithms*, chapter 8)."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    to_sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * to_sunday) // 451
    month, day = divmod(moon + to_sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=16)
def _half_days(year: int) -> dict[date, str]:
    """The day after Thanksgiving, and an eve that is a session with the holiday on the next day of its week."""
    eves = {date(year, 7, 3): f"Day before {_INDEPENDENCE}", date(year, 12, 24): "Christmas Eve"}
    after_thanksgiving = _from(date(year, 11, 22), _THURSDAY) + _DAY
    return {
        after_thanksgiving: "Day after Thanksgiving Day",
        **{eve: name for eve, name in eves.items() if eve.weekday() <= _THURSDAY},
    }


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
