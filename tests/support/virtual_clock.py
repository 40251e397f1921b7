"""A clock that jumps from the end of one sleep to the next, one sleeper at a time: a run can be repeated exactly."""

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.support.waiting import until

_STEPS: Final = 60


class VirtualClock:
    """Time stands while anybody works; `advance_to_next` wakes whoever is due first."""

    def __init__(self, start: datetime) -> None:
        self._start = start.astimezone(UTC)
        self._passed_s = 0.0
        self._order = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic(self) -> float:
        return 1000.0 + self._passed_s

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._order += 1
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._passed_s + seconds, self._order, future))
        await future

    @property
    def sleeping(self) -> int:
        """How many sleep now."""
        return sum(not future.done() for _, _, future in self._sleepers)

    async def run(self, settled: Callable[[], bool], *, done: Callable[[], bool]) -> None:
        """Wake one after another until `done`; each time wait until everything has `settled`.

        Whoever is being woken by an event still counts as asleep, so some steps are left to him first.
        """
        while True:
            await until(settled)
            for _ in range(_STEPS):
                await asyncio.sleep(0)
            await until(settled)
            if done():
                return
            at_s, _, future = heapq.heappop(self._sleepers)
            self._passed_s = max(self._passed_s, at_s)
            if not future.done():
                future.set_result(None)
            await asyncio.sleep(0)
