"""The pacer at work: whoever wants to call Discord waits here until it is his turn."""

import asyncio
import math
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Protocol

from bot.feed.pacer import Flight, Pacer, Rank, Wish
from bot.feed.timing import woken
from streaming.clock import Clock

_LONGEST_S: Final = 1.0
_BETWEEN_CALLS_S: Final = 0.03
_OUTSIDE: Final = ("/interactions/", "/webhooks/")
"""What Discord counts apart from its fifty calls a second: answers to commands never wait behind boards."""
_CHANNEL: Final = re.compile(r"/channels/(\d{1,20})/")
_rank: ContextVar[Rank] = ContextVar("rank", default=Rank.PEOPLE)
Answered = Callable[[int, Mapping[str, str]], None]
"""Takes the status and the headers of an answer."""


@dataclass(slots=True, eq=False)
class Turn:
    """Leave to make one call now."""

    replaces: bool
    """Whether the message may be replaced."""
    flight: Flight | None = None
    """Room for a call that has not been made yet."""
    method: str = ""
    """What the channel's pace leaves room for."""


_turn: ContextVar[Turn | None] = ContextVar("turn", default=None)


class Turns(Protocol):
    """Where boards wait for their turn."""

    def turn(
        self, channel_id: int, *, method: str, replaces: bool, within_s: float = math.inf
    ) -> AbstractAsyncContextManager[Turn]:
        """Wait for it; the first call made inside, or in a task begun inside, is the one that was granted.

        `within_s` is how long after each mark the message is to be replaced.
        """
        ...


class AtOnce:
    """`Turns` without waiting, for boards whose channels are not Discord's."""

    @asynccontextmanager
    async def turn(
        self,
        channel_id: int,  # noqa: ARG002  # as of all turns
        *,
        method: str,  # noqa: ARG002
        replaces: bool,  # noqa: ARG002
        within_s: float = math.inf,  # noqa: ARG002
    ) -> AsyncIterator[Turn]:
        yield Turn(replaces=True)


class Pacing:
    """All calls of one process: boards take their turn before they render, everything else waits on its way out."""

    def __init__(self, clock: Clock, pacer: Pacer | None = None) -> None:
        self._clock = clock
        self.pacer: Final = Pacer() if pacer is None else pacer
        self._granted: dict[Wish, asyncio.Future[None]] = {}
        self._changed = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(
        self, channel_id: int, *, method: str, replaces: bool, within_s: float = math.inf
    ) -> AsyncIterator[Turn]:
        wish = Wish(Rank.EDIT, channel_id, method, replaces, within_s)
        turn = Turn(replaces, await self._wait(wish))
        turn.replaces = wish.as_replacement
        turn.method = "POST" if wish.as_replacement else method
        token = _turn.set(turn)
        try:
            yield turn
        finally:
            _turn.reset(token)
            if (flight := turn.flight) is not None:
                turn.flight = None
                self.pacer.budget.give_back(flight, self._clock.monotonic())
                self._changed.set()

    @asynccontextmanager
    async def passage(self, method: str, path: str) -> AsyncIterator[Answered]:
        """Around one request to Discord: wait until it may be made, and tell what came back."""
        if any(outside in path for outside in _OUTSIDE):
            yield _unheard
            return
        found = _CHANNEL.search(path)
        channel_id = None if found is None else int(found[1])
        flight = await self._flight(method, channel_id)
        self.pacer.depart(flight, method, channel_id, self._clock.monotonic())

        def answered(status: int, headers: Mapping[str, str]) -> None:
            self.pacer.answered(method, channel_id, status, headers, self._clock.monotonic())

        try:
            yield answered
        finally:
            self.pacer.budget.ended(flight, self._clock.monotonic())
            self._changed.set()

    async def _flight(self, method: str, channel_id: int | None) -> Flight:
        turn = _turn.get()
        if turn is not None and turn.flight is not None:
            flight, turn.flight = turn.flight, None
            if turn.method == method:
                return flight
            # Such as an edit where the replacement could not be announced: that bucket may be used up.
            self.pacer.budget.give_back(flight, self._clock.monotonic())
        return await self._wait(Wish(_rank.get(), channel_id, method))

    async def _wait(self, wish: Wish) -> Flight:
        granted = asyncio.get_running_loop().create_future()
        self._granted[wish] = granted
        self.pacer.ask(wish)
        self._changed.set()
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive(), name="pacer")
        try:
            await granted
        except asyncio.CancelledError:
            if wish.flight is not None:
                self.pacer.budget.give_back(wish.flight, self._clock.monotonic())
            raise
        finally:
            self.pacer.drop(wish)
            self._granted.pop(wish, None)
        assert wish.flight is not None  # noqa: S101  # granted
        return wish.flight

    async def _drive(self) -> None:
        """Grant what may be granted as long as anybody waits."""
        while self.pacer.waiting:
            self._changed.clear()
            found = self.pacer.grant(self._clock.monotonic())
            if not isinstance(found, Wish):
                await self._until_changed(found)
            elif (granted := self._granted.get(found)) is not None and not granted.done():
                granted.set_result(None)

    async def _until_changed(self, within_s: float) -> None:
        """Between two calls nothing may happen, so nobody is listened to; a longer wait may be cut short."""
        if within_s <= _BETWEEN_CALLS_S:
            await self._clock.sleep(within_s)
        else:
            await woken(self._changed, self._clock, min(within_s, _LONGEST_S))


@contextmanager
def ranked(rank: Rank) -> Iterator[None]:
    """Calls made inside that have no turn of their own wait in this rank."""
    token = _rank.set(rank)
    try:
        yield
    finally:
        _rank.reset(token)


def _unheard(status: int, headers: Mapping[str, str]) -> None:
    """What is counted apart teaches nothing."""
