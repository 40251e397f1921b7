"""A clock that moves only when a test says so."""

import asyncio
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Starts at a fixed instant; `sleep` moves it and yields to the loop."""

    def __init__(self, start: datetime = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.advance(max(seconds, 0.0))
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Move both clocks on."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds


class StillClock(ManualClock):
    """Whoever sleeps does so for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await asyncio.Event().wait()
