"""The week of a Schwab login: when it ends, when a person is reminded, and when best to log in. Pure.

Reminders keep out of the night of whoever looks after the login: one that would come in the night comes in the evening
before, and what a program that was off has missed waits for the morning, unless the login is over by then.
"""

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from streaming.calendar import NEW_YORK, new_york, session_on

STAGES_H: Final = (48, 24, 6, 1)
"""Hours before the end at which a person is reminded."""
_NIGHT: Final = time(22, 0)
_MORNING: Final = time(7, 0)
_EVENING: Final = time(18, 0)
_LAST_CALL: Final = time(21, 45)
"""In the evening, with time left to log in before the night."""
_DAY: Final = timedelta(days=1)
_SUNDAY: Final = 6


def reminder_at(ends_at: datetime, hours: int, zone: ZoneInfo) -> datetime:
    """When a reminder so many hours before the end is due, outside the night."""
    local = (ends_at - timedelta(hours=hours)).astimezone(zone)
    if not _is_night(local):
        return local
    evening = local.date() if local.time() >= _NIGHT else local.date() - _DAY
    return datetime.combine(evening, _LAST_CALL, zone)


def due_stage(ends_at: datetime, now: datetime, zone: ZoneInfo = NEW_YORK) -> int | None:
    """The latest reminder that has come, in hours; None before the first, after the end, and in a night it outlasts."""
    if now >= ends_at or _waits_for_morning(ends_at, now.astimezone(zone)):
        return None
    return min((hours for hours in STAGES_H if reminder_at(ends_at, hours, zone) <= now), default=None)


def end_words(ends_at: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """`Wednesday 10:12 New York, in session`."""
    place = (zone.key or "UTC").rpartition("/")[2].replace("_", " ")
    day = session_on(new_york(ends_at).date())
    inside = day is not None and day.open_at <= ends_at < day.close_at
    return f"{ends_at.astimezone(zone):%A %H:%M} {place}, {'in session' if inside else 'outside the session'}"


def advice(ends_at: datetime, now: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """When best to log in again: `log in on Sunday evening`, which begins a week that ends outside every session."""
    ends, here = ends_at.astimezone(zone), now.astimezone(zone)
    days = (ends.weekday() - _SUNDAY) % 7
    sunday = ends.date() - _DAY * (days or (0 if ends.time() >= _EVENING else 7))
    for evening in (sunday, ends.date() - _DAY):
        if here < datetime.combine(evening, _NIGHT, zone):
            return "log in this evening" if here.date() == evening else f"log in on {evening:%A} evening"
    return "log in now"


def plan(ends_at: datetime, now: datetime, zone: ZoneInfo = NEW_YORK) -> str:
    """`ends Wednesday 10:12 New York, in session: log in on Sunday evening`."""
    return f"ends {end_words(ends_at, zone)}: {advice(ends_at, now, zone)}"


def _is_night(local: datetime) -> bool:
    return local.time() >= _NIGHT or local.time() < _MORNING


def _waits_for_morning(ends_at: datetime, local: datetime) -> bool:
    if not _is_night(local):
        return False
    day = local.date() + _DAY if local.time() >= _NIGHT else local.date()
    return datetime.combine(day, _MORNING, local.tzinfo) < ends_at
