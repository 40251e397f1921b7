"""Equal portions of one work, shared among the processes of a bot: each portion by a lease of its own.

A process takes no more than its part of them and gives back what is too much when another process comes, so that any
number of equal processes may be started.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Final

from redis.asyncio import Redis

from streaming.bus.lease import Lease, Pause

log = logging.getLogger(__name__)


class PortionLease(Lease):
    """A lease that is taken only while that is this process's to do, and ends when it is asked back."""

    def __init__(self, redis: Redis, key: str, owner: str, portions: "Portions", pause: Pause) -> None:
        super().__init__(redis, key, owner, pause=pause)
        self._portions = portions
        self.unwanted = False
        """Whether it is to be given back."""

    async def acquire(self) -> bool:
        async with self._portions.asking:
            if not self._portions.admits(self) or not await super().acquire():
                return False
            self.unwanted = False
            self._portions.taken(self)
            return True

    async def renew(self) -> bool:
        return not self.unwanted and await super().renew()

    async def release(self) -> bool:
        try:
            return await super().release()
        finally:
            self._portions.dropped(self)


class Portions:
    """The portions of one work, and which of them are this process's or about to be."""

    def __init__(  # as of a lease, for several
        self,
        redis: Redis,
        owner: str,
        names: Sequence[str],
        most: Callable[[], int],
        *,
        rest_s: float = 0.0,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`most` says how many this process may have now; after one was given back, none is for `rest_s`."""
        self.leases: Final = tuple(PortionLease(redis, name, owner, self, pause) for name in names)
        self._most = most
        self._rest_s = rest_s
        self._given_s = -math.inf
        self._taken: list[PortionLease] = []
        self.asking: Final = asyncio.Lock()
        """Held while one is asked for: each has its turn, and no more are taken than may be."""

    @property
    def own(self) -> tuple[int, ...]:
        """Numbers of those that are held."""
        return tuple(number for number, lease in enumerate(self.leases) if lease.epoch)

    def admits(self, lease: PortionLease) -> bool:
        """Whether it may be asked for."""
        return lease in self._taken or len(self._taken) < self._most()

    def taken(self, lease: PortionLease) -> None:
        """It is held from now on."""
        if lease not in self._taken:
            self._taken.append(lease)

    def dropped(self, lease: PortionLease) -> None:
        """It is given back."""
        if lease in self._taken:
            self._taken.remove(lease)

    def trim(self, now_s: float) -> None:
        """Ask back what is too much: the newest first."""
        kept = [lease for lease in self._taken if lease.epoch and not lease.unwanted]
        for lease in reversed(kept[max(self._most(), 0) :]):
            if now_s < self._given_s + self._rest_s:
                return
            self._given_s = now_s
            lease.unwanted = True
            log.info("%s is given to another process", lease.key)
