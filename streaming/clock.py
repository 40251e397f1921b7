"""Time as a dependency: whoever needs the hour is handed a clock; and the one way in for instants of others.

What somebody outside calls an instant becomes ours, of 1970 to 2100, or unknown: a year that cannot be (1, 9999,
"NaN") would otherwise pass as a number and stop whoever makes a date of it later. No other module reads an instant or
a date from text or a foreign number; ruff holds that (TID251 in pyproject.toml).
"""

import asyncio
import math
import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final, Literal, Protocol

Unit = Literal["s", "ms", "any"]
"""What a number counts; with `any` its size tells seconds, thousandths, millionths or billionths of one."""
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2099, 12, 31)
LAST_MS: Final = 4_102_444_800_000
"""2100-01-01."""
_LAST_S: Final = LAST_MS / 1000
_SMALLEST_OF_ANY_S: Final = 946_684_800.0
"""2000-01-01: where the unit is not stated a smaller number is no time but a duration, a count or a mistake."""
_SCALES: Final = (1.0, 1e3, 1e6, 1e9)
_LONGEST: Final = 64
"""Characters; every way to write an instant is shorter."""


class Clock(Protocol):
    """What the program knows of time. Ages use `monotonic`, calendar decisions use `now`."""

    def now(self) -> datetime:
        """The instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less only yields."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.0))


class ShiftedClock(SystemClock):
    """The machine's clock moved by a fixed offset, for a market of another day.

    It showed `start_at` at `began_s` of the monotonic clock, else when it is made, and runs at the pace of real time;
    it follows the monotonic clock, so a correction of the machine's own clock never moves the simulated market.
    """

    def __init__(self, start_at: datetime, *, began_s: float | None = None) -> None:
        if start_at.tzinfo is None:
            raise ValueError("start_at must be aware")
        self.start_at: Final = start_at.astimezone(UTC)
        self.began_s: Final = time.monotonic() if began_s is None else began_s

    def now(self) -> datetime:
        return self.start_at + timedelta(seconds=time.monotonic() - self.began_s)


def uptime_s() -> float:
    """Seconds that never jump and, where the platform can tell (Linux), go on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def epoch_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC of an aware instant."""
    return int(instant.timestamp() * 1000)


def instant_of(epoch_ms: float) -> datetime:
    """The aware instant, in UTC, of our own milliseconds since 1970-01-01 UTC; foreign ones pass `instant`."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def instant(value: object, *, unit: Unit, zone: tzinfo = UTC) -> datetime | None:
    """The aware instant, in UTC, of a number or its text (in `unit`), of ISO text or of a datetime; None when unknown.

    `zone` speaks for text and datetimes that name none.
    """
    if isinstance(value, str):
        value = _of_text(value)
    if isinstance(value, datetime):
        return _bounded(value if value.tzinfo is not None else value.replace(tzinfo=zone))
    seconds = _seconds(value, unit)
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def instant_ms(value: object, *, unit: Unit, zone: tzinfo = UTC) -> int | None:
    """The same as whole milliseconds since 1970-01-01 UTC."""
    if unit == "ms" and type(value) is int:
        return value if is_instant(value) else None
    found = instant(value, unit=unit, zone=zone)
    return None if found is None else round(found.timestamp() * 1000)


def is_instant(ms: int) -> bool:
    """Whether a count of milliseconds is a time after 1970 began and before 2100, so that it has a date everywhere."""
    return 0 < ms < LAST_MS


def date_of(value: object) -> date | None:
    """The date that ISO text names, perhaps with a time behind it; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = date.fromisoformat(value[:10])
    except ValueError:
        return None
    return found if FIRST_DAY <= found <= LAST_DAY else None


def _of_text(text: str) -> datetime | float | None:
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _seconds(value: object, unit: Unit) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        count = float(value)
    except OverflowError:
        return None
    if not math.isfinite(count):
        return None
    if unit == "any":
        return next((count / one for one in _SCALES if _SMALLEST_OF_ANY_S <= count / one < _LAST_S), None)
    seconds = count / 1000.0 if unit == "ms" else count
    return seconds if 0.0 < seconds < _LAST_S else None


def _bounded(moment: datetime) -> datetime | None:
    try:
        found = moment.astimezone(UTC)
    except OverflowError:
        return None
    return found if FIRST_DAY <= found.date() <= LAST_DAY else None
