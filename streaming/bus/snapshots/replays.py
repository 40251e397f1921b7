"""Whose replay rules the hours: whoever holds the replay lease, as GEX_SOURCE=replay and `streaming replay` do."""

import logging
import secrets
from typing import Final

from msgspec.structs import replace
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.clock import Clock
from streaming.errors import TransientError
from streaming.model import GexSnapshot

log = logging.getLogger(__name__)

THIS_PROGRAM: Final = f"program {secrets.token_hex(6)}"
"""Who plays where nobody needs a lease: what this process plays itself rules for its own readers."""
_ASK_EVERY_S: Final = 1.0
_BELIEVED_S: Final = 5.0


class ReplayPlayers:
    """Confirms the marks of replayed snapshots; a mark nobody can confirm still names them, and rules nothing."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._lease = Lease(redis, keys.REPLAY_LEASE, "")
        self._clock = clock
        self._holder: str | None = None
        self._asked_s: float | None = None

    async def judged(self, snapshot: GexSnapshot) -> GexSnapshot:
        """The snapshot, of another producer's replay with a mark that says so."""
        mark = snapshot.replay
        if mark is None or (mark.by and await self._plays(mark.by)):
            return snapshot
        return replace(snapshot, replay=replace(mark, by=""))

    async def _plays(self, name: str) -> bool:
        if name == THIS_PROGRAM:
            return True
        waited_s = float("inf") if self._asked_s is None else self._clock.monotonic() - self._asked_s
        if waited_s >= (_BELIEVED_S if name == self._holder else _ASK_EVERY_S):
            await self._ask()
        return name == self._holder

    async def _ask(self) -> None:
        try:
            self._holder = await self._lease.holder()
        except TransientError as error:  # what was known stays known
            log.debug("%s", error)
        self._asked_s = self._clock.monotonic()
