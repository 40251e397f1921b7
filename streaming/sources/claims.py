"""One process asks for a ticker, others stand by and take over within seconds when it ends."""

import asyncio
import logging
from types import TracebackType
from typing import Final, Self

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
TTL_S: Final = 8.0
"""How long a killed process still counts, however seldom it asked."""


class RedisClaims:
    """A lease for each ticker asked about inside this context, renewed meanwhile and given back at its end."""

    def __init__(self, redis: Redis, source: str, owner: str, *, ttl_s: float = TTL_S) -> None:
        self._redis = redis
        self._source = source
        self._owner = owner
        self._ttl_s = ttl_s
        self._held: dict[str, Lease] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew(), name=f"source claims {self._source}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        held, self._held = self._held, {}
        for lease in held.values():
            try:
                await lease.release()
            except TransientError as away:
                _LOG.debug("%s It ends by itself.", away)

    async def ours(self, ticker: str) -> bool:
        """Take or keep the right to a ticker; TransientError while Redis is away."""
        lease = Lease(self._redis, keys.source_lease(self._source, ticker), self._owner, ttl_s=self._ttl_s)
        mine = await lease.acquire()
        if mine:
            self._held[ticker] = lease
        else:
            self._held.pop(ticker, None)
        return mine

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._ttl_s / 4)
            for ticker, lease in list(self._held.items()):
                try:
                    if not await lease.renew():
                        self._held.pop(ticker, None)
                except TransientError as away:
                    _LOG.debug("%s The claim is kept meanwhile.", away)
