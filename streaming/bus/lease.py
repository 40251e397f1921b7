"""A lease in Redis: at most one of several processes does a job, and another takes over when it dies."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from streaming.bus.connection import answering
from streaming.errors import OperatorError, TransientError

log = logging.getLogger(__name__)

TTL_S: Final = 4.0
"""How long a dead holder still counts; with a standby that asks every quarter second, takeover within 5 s."""

_TAKE: Final = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class LeaseLostError(TransientError):
    """Somebody else holds the lease that was ours."""


class Lease:
    """The right named by `key`, held under the name `owner` for `ttl_s` after every renewal.

    While Redis does not answer, a holder keeps its right: nobody can take it from the same Redis either. The
    methods raise TransientError when Redis does not answer.
    """

    def __init__(self, redis: Redis, key: str, owner: str, *, ttl_s: float = TTL_S) -> None:
        self._redis = redis
        self.key = key
        self.owner = owner
        self.ttl_s = ttl_s
        self._take = redis.register_script(_TAKE)
        self._release = redis.register_script(_RELEASE)

    async def acquire(self) -> bool:
        """Take the lease if it is free or ours already."""
        async with answering(f"asking for {self.key}", within_s=self.ttl_s):
            return bool(await self._take(keys=[self.key], args=[self.owner, int(self.ttl_s * 1000)]))

    async def renew(self) -> bool:
        """Hold it for another `ttl_s`; False when somebody else has it. One that ran out unclaimed is taken again."""
        return await self.acquire()

    async def release(self) -> bool:
        """Give it back; False when it was not ours."""
        async with answering(f"giving back {self.key}", within_s=self.ttl_s):
            return bool(await self._release(keys=[self.key], args=[self.owner]))

    async def holder(self) -> str | None:
        """Who holds it now, or None."""
        async with answering(f"looking at {self.key}", within_s=self.ttl_s):
            value: bytes | str | None = await self._redis.get(self.key)
        return value.decode() if isinstance(value, bytes) else value

    @asynccontextmanager
    async def held(self, *, wait: bool = False) -> AsyncIterator[None]:
        """Hold the lease while inside, renewing it; LeaseLostError ends the body when somebody else gets it.

        OperatorError when it is taken, unless `wait` says to stand by until it is free.
        """
        while not await self.acquire():
            if not wait:
                raise OperatorError(
                    f"{await self.holder() or 'Another process'} holds {self.key}.",
                    remedy="Stop that process, or let it do the work.",
                )
            await asyncio.sleep(self.ttl_s / 16)
        try:
            async with asyncio.timeout(None) as body:
                renewing = asyncio.create_task(self._keep(body), name=f"lease {self.key}")
                try:
                    yield
                finally:
                    renewing.cancel()
                    await asyncio.wait({renewing})
        except TimeoutError:
            if not body.expired():
                raise
            raise LeaseLostError(f"{self.key} has gone to another process.") from None
        finally:
            await self._give_back()

    async def _keep(self, body: asyncio.Timeout) -> None:
        """Renew until cancelled; on losing the lease, end the body."""
        ours, away = True, False
        while ours:
            await asyncio.sleep(self.ttl_s / 4)
            try:
                ours = await self.renew()
            except TransientError as error:
                log.log(logging.DEBUG if away else logging.WARNING, "%s The lease is kept meanwhile.", error)
                away = True
            else:
                if away:
                    log.info("Redis answers again; %s is %s", self.key, "renewed" if ours else "lost")
                away = False
        body.reschedule(asyncio.get_running_loop().time())

    async def _give_back(self) -> None:
        try:
            await self.release()
        except TransientError as error:
            log.warning("%s It ends by itself within %g s.", error, self.ttl_s)
