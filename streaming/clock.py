"""Time as a dependency: whoever needs the hour is handed a clock."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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

    It starts at `start_at` and runs at the pace of real time; it follows the monotonic clock, so a
    correction of the machine's own clock never moves the simulated market.
    """

    def __init__(self, start_at: datetime) -> None:
        if start_at.tzinfo is None:
            raise ValueError("start_at must be aware")
        self._start_at = start_at.astimezone(UTC)
        self._began_s = time.monotonic()

    def now(self) -> datetime:
        return self._start_at + timedelta(seconds=time.monotonic() - self._began_s)


def uptime_s() -> float:
    """Seconds that never jump and, where the platform can tell (Linux), go on while the machine is suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def epoch_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970-01-01 UTC of an aware instant."""
    return int(instant.timestamp() * 1000)


def instant_of(epoch_ms: float) -> datetime:
    """The aware instant, in UTC, of our own milliseconds since 1970-01-01 UTC; foreign ones pass `instants`."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)  # noqa: TID251  # bounded before: they are ours
