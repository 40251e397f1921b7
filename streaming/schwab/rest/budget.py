"""How many requests a minute Schwab gets from us (specs/schwab-wire.md §3.7)."""

import asyncio
import logging
from collections import deque
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
_MINUTE_S: Final = 60.0
_ALONE: Final = 0.5
"""Share of the budget that a process allows itself while it cannot ask what the others use."""
_ASK_AGAIN_S: Final = 5.0
_LONGEST_NAP_S: Final = 5.0


class SharedBudget(Protocol):
    """The same budget, counted by several processes together."""

    async def claim(self, per_minute: int) -> tuple[float, int]:
        """(0 or the seconds to wait, requests of the last minute); TransientError when nobody knows."""
        ...

    async def pause(self, seconds: float) -> None:
        """Hold everybody."""
        ...


class RequestBudget:
    """At most `per_minute` requests in any 60 seconds, first come, first served.

    Bursts are fine, the minute counts; whoever polls spreads its requests itself. With `shared` the minute is that of
    all processes together; while it cannot be asked, this one makes do with half of its own.
    """

    def __init__(self, per_minute: int, clock: Clock, *, shared: SharedBudget | None = None) -> None:
        if per_minute < 1:
            raise ValueError("a budget needs at least one request a minute")
        self.per_minute = per_minute
        self._clock = clock
        self._shared = shared
        self._spent: deque[float] = deque(maxlen=per_minute)
        self._told: tuple[float, int] | None = None
        self._alone_until_s = 0.0
        self._paused_until_s = 0.0
        self._turn = asyncio.Lock()

    @property
    def used(self) -> int:
        """Requests of the last minute, by all processes as far as that is known."""
        now_s = self._clock.monotonic()
        own = self._own(now_s)
        return max(own, self._told[1]) if self._told and now_s - self._told[0] < _MINUTE_S else own

    async def take(self) -> None:
        """Wait for a free place and take it."""
        async with self._turn:
            while (wait_s := self._wait_s() or await self._claim_s()) > 0.0:
                await self._clock.sleep(min(wait_s, _LONGEST_NAP_S) if self._shared else wait_s)
            self._spent.append(self._clock.monotonic())

    async def pause(self, seconds: float) -> None:
        """Schwab asked for silence: no request of any process starts before it is over."""
        self._paused_until_s = max(self._paused_until_s, self._clock.monotonic() + seconds)
        if self._shared is not None:
            try:
                await self._shared.pause(seconds)
            except TransientError as error:
                _LOG.warning("the other processes were not told to pause: %s", error)

    def _own(self, now_s: float) -> int:
        return sum(now_s - moment_s < _MINUTE_S for moment_s in self._spent)

    def _wait_s(self) -> float:
        """What this process knows by itself."""
        now_s = self._clock.monotonic()
        most = max(int(self.per_minute * _ALONE), 1) if now_s < self._alone_until_s else self.per_minute
        full = len(self._spent) >= most
        return max(self._paused_until_s - now_s, self._spent[-most] + _MINUTE_S - now_s if full else 0.0, 0.0)

    async def _claim_s(self) -> float:
        """What the processes know together: 0 once a place is ours."""
        if self._shared is None or self._clock.monotonic() < self._alone_until_s:
            return 0.0
        try:
            wait_s, used = await self._shared.claim(self.per_minute)
        except TransientError as error:
            _LOG.warning("the request budget is not shared for now, half of it is used: %s", error)
            self._alone_until_s = self._clock.monotonic() + _ASK_AGAIN_S
            return self._wait_s()
        self._told = self._clock.monotonic(), used
        return wait_s
