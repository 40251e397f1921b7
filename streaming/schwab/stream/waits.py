"""Which state a stream client is in, and how it waits for what it cannot hurry (specs/schwab-wire.md §2.4, §2.18)."""

import logging
import random
from collections.abc import Coroutine
from typing import Any, Final

from streaming.clock import Clock
from streaming.errors import OperatorError
from streaming.process.backoff import Backoff, InterruptibleWait
from streaming.process.trouble import Matters
from streaming.schwab.login.keeper import Logins, another_chance
from streaming.schwab.stream.policy import StreamTiming, yield_s
from streaming.schwab.stream.stream_status import ClientState

_LOG: Final = logging.getLogger(__name__)


class ClientWaits:
    """The client's state and its pauses; every pause can be cut short by `retry_now`."""

    def __init__(
        self, timing: StreamTiming, rng: random.Random, clock: Clock, matters: Matters, *, logins: Logins | None
    ) -> None:
        self._timing = timing
        self._clock = clock
        self._matters = matters
        self._logins = logins
        self._backoff = Backoff(rng, first_s=timing.first_delay_s, cap_s=timing.max_delay_s)
        self._patience = InterruptibleWait()
        self._takeovers = 0
        self._retry_at_s: float | None = None
        self.state: ClientState = "stopped"
        self.since_at = clock.now()
        self.needs_login: str | None = None
        """Why a person must log in, while one is waited for."""

    @property
    def retry_in_s(self) -> float | None:
        """Until the pause of this moment ends."""
        return None if self._retry_at_s is None else max(self._retry_at_s - self._clock.monotonic(), 0.0)

    def enter(self, state: ClientState) -> None:
        """Be in a state from now on."""
        if state != self.state:
            self.state, self.since_at = state, self._clock.now()
            _LOG.debug("Stream client: %s", state)

    def well(self) -> None:
        """Data has flowed for a while: the next pause is a short one again."""
        self._takeovers = 0
        self._backoff.reset()

    def retry_now(self) -> None:
        """Cut short whatever is being waited for: the backoff, a login, another program's turn."""
        self.well()
        self._patience.nudge()

    async def back_off(self, why: str | None, wish_s: float) -> None:
        """Pause before the next connection, at least as long as the other side wished."""
        delay_s = max(self._backoff.next_s(), wish_s)
        _LOG.info("Stream ended (%s); next try in %.1f s", why, delay_s)
        await self._pause("backoff", delay_s)

    async def leave_to_the_other(self) -> None:
        """Code 12: taking the stream back at once would evict both for ever."""
        self._takeovers += 1
        delay_s = yield_s(self._timing, self._takeovers)
        self._matters.tell(
            "taken over",
            "Another program has taken over the Schwab stream; a user may hold one. Stop the other program, then "
            f"`/stream start` takes it back at once; otherwise the next try is in {delay_s / 60:.0f} min.",
        )
        await self._pause("taken_over", delay_s)

    async def refused(self, why: str, wait_s: float) -> None:
        """Schwab refuses the stream although the login is good: wait long, or until another login is stored."""
        _LOG.info("Stream refused (%s); next try in %.0f s", why, wait_s)
        logins = self._logins
        work = None if logins is None else another_chance(logins, logins.glance(), within_s=wait_s)
        await self._pause("refused", wait_s, work)

    async def for_login(self, error: OperatorError) -> None:
        """Tell why a person must act and wait until one has, or a minute; raises the error where nobody could know."""
        if self._logins is None:
            raise error
        seen = self._logins.glance()
        self.needs_login = error.sentence
        self._matters.tell("needs login", error.sentence)
        self.enter("needs_login")
        try:
            await self._patience.wait(self._another_login(self._logins, seen), "new login")
        finally:
            self.needs_login = None

    async def _another_login(self, logins: Logins, seen: object) -> None:
        if await another_chance(logins, seen):
            self._matters.over("needs login")
            _LOG.info("Stream: trying again with what is stored as Schwab login now")

    async def _pause(self, state: ClientState, delay_s: float, work: Coroutine[Any, Any, object] | None = None) -> None:
        self.enter(state)
        self._retry_at_s = self._clock.monotonic() + delay_s
        try:
            await self._patience.wait(work or self._clock.sleep(delay_s), state)
        finally:
            self._retry_at_s = None
