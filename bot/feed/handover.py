"""A feed that ends gives its boards to a process that stands by, which goes on with them within a second."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from streaming.bus.lease import Lease
from streaming.bus.redis_connection import answering
from streaming.clock import Clock
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
_LEAVES_WITHIN_S: Final = 0.5
"""So long boards are waited for that are in the middle of a call; what comes later is refused by the new holder."""
_TAKEN_WITHIN_S: Final = 1.5
_LOOK_S: Final = 0.02
_ANSWER_S: Final = 0.5


class Handover:
    """The end of one holder of a lease: to somebody else where there is somebody, else as it always was."""

    def __init__(
        self, lease: Lease, clock: Clock, awaited: Callable[[], bool], stir: Callable[[], Awaitable[None]]
    ) -> None:
        """`awaited` tells whether another process would take the lease; `stir` tells it to look at once."""
        self._lease = lease
        self._clock = clock
        self._awaited = awaited
        self._stir = stir
        self._giving: asyncio.Task[bool] | None = None

    async def given(self, are_leaving: Callable[[], bool]) -> bool:
        """Whether another process has the boards by now; asked by each of them, done once when all `are_leaving`."""
        if self._giving is None:
            self._giving = asyncio.create_task(self._give(are_leaving), name="handover")
        return await asyncio.shield(self._giving)

    def begin_anew(self) -> None:
        """The lease was taken again."""
        self._giving = None

    async def _give(self, are_leaving: Callable[[], bool]) -> bool:
        """Where nobody takes it in the end, it is ours again, and the boards say goodbye."""
        if not self._awaited():
            return False
        try:
            await self._until(are_leaving, _LEAVES_WITHIN_S)
            if not await self._is_ours():
                return True
            await self._lease.release()
            await self._stir()
            is_given = await self._is_taken() or not await self._lease.acquire()
            _LOG.info("%s is %s another process", self._lease.key, "given to" if is_given else "not taken by")
        except TransientError as error:
            _LOG.info("%s is not given to another process: %s", self._lease.key, error.sentence)
            return False
        return is_given

    async def _is_ours(self) -> bool:
        """Asked twice: a process that was held up for a moment comes too late for the first answer."""
        with suppress(TransientError):
            return await self._renewed()
        return await self._renewed()

    async def _renewed(self) -> bool:
        async with answering(f"looking whose {self._lease.key} is", within_s=_ANSWER_S):
            return await self._lease.renew()

    async def _is_taken(self) -> bool:
        ends_s = self._clock.monotonic() + _TAKEN_WITHIN_S
        while self._clock.monotonic() < ends_s:
            if await self._lease.holder() not in {None, self._lease.owner}:
                return True
            await self._clock.sleep(_LOOK_S)
        return False

    async def _until(self, condition: Callable[[], bool], within_s: float) -> None:
        ends_s = self._clock.monotonic() + within_s
        while not condition() and self._clock.monotonic() < ends_s:
            await self._clock.sleep(_LOOK_S)
