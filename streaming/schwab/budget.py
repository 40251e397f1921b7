"""How many requests a minute Schwab gets from us (schwab-api.md §3.7)."""

import asyncio
from collections import deque
from typing import Final

from streaming.clock import Clock

_MINUTE_S: Final = 60.0


class RequestBudget:
    """At most `per_minute` requests in any 60 seconds, first come, first served.

    Bursts are fine, the minute counts; whoever polls spreads its requests itself.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        if per_minute < 1:
            raise ValueError("a budget needs at least one request a minute")
        self.per_minute = per_minute
        self._clock = clock
        self._spent: deque[float] = deque(maxlen=per_minute)
        self._paused_until_s = 0.0
        self._turn = asyncio.Lock()

    @property
    def used(self) -> int:
        """Requests of the last minute."""
        now_s = self._clock.monotonic()
        return sum(now_s - moment_s < _MINUTE_S for moment_s in self._spent)

    async def take(self) -> None:
        """Wait for a free place and take it."""
        async with self._turn:
            while (wait_s := self._wait_s()) > 0.0:
                await self._clock.sleep(wait_s)
            self._spent.append(self._clock.monotonic())

    def pause(self, seconds: float) -> None:
        """Schwab asked for silence: no request starts before it is over."""
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic() + seconds)

    def _wait_s(self) -> float:
        now_s = self._clock.monotonic()
        full = len(self._spent) == self.per_minute
        return max(self._paused_until_s - now_s, self._spent[0] + _MINUTE_S - now_s if full else 0.0)
