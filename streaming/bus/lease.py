"""A lease in Redis: at most one of several processes does a job, and another takes over when it dies.

A holder that was paused does not know that it was. So each change of holder raises the lease's epoch, stores refuse
writes of an older one (`FENCE`), and whoever writes elsewhere asks `assure` first.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Protocol

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from streaming.bus import keys
from streaming.bus.cluster import placed
from streaming.bus.redis_connection import answering
from streaming.clock import uptime_s
from streaming.errors import OperatorError, TransientError

log = logging.getLogger(__name__)

TTL_S: Final = 4.0
"""How long a dead holder still counts; with a standby that asks every quarter second, takeover within 5 s."""

_GIVE_BACK_S: Final = 1.0
_TAKE: Final = """
local holder, stored = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
local epoch = ARGV[3]
if epoch == '0' or (stored and stored ~= epoch) then
  if ARGV[4] == 'renew' then return 0 end
  local time = redis.call('TIME')
  epoch = string.format('%.0f', math.max(time[1] * 1000 + math.floor(time[2] / 1000), (tonumber(stored) or 0) + 1))
end
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return tonumber(epoch)
"""
"""KEYS lease, epoch; ARGV owner, ms, the owner's epoch or 0, `take` or `renew`. The epoch held under, or 0. The
server's own time is its lower bound, so that one whose data was lost does not give an old epoch again."""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""
LOST: Final = "LEASELOST"
"""First word of such a refusal."""
FENCE: Final = f"""
local epoch = redis.call('GET', KEYS[1])
if epoch and epoch ~= ARGV[1] then return redis.error_reply('{LOST} the lease has gone to another process') end
"""
"""Begins a script that only the holder may run, inside `fenced`: KEYS[1] `Lease.epoch_key`, ARGV[1] `Lease.epoch`."""
COPY_FENCE: Final = f"""
local epoch = redis.call('GET', KEYS[1])
if epoch and tonumber(epoch) > tonumber(ARGV[1]) then
  return redis.error_reply('{LOST} the lease has gone to another process')
end
if epoch ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1]) end
"""
"""The same where the lease is in another slot: KEYS[1] `keys.epoch_copy`, which this raises to the caller's epoch. A
new holder raises it before it relies on what it reads there: then no earlier one can write any more."""
Pause = Callable[[float], Awaitable[None]]
"""Waits for at most so many seconds."""


def process_name() -> str:
    """What a process calls itself as the owner of leases; another one at each call."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Fence(Protocol):
    """The right to write, as a writer sees it (`Lease`)."""

    @property
    def epoch_key(self) -> str:
        """Where the store keeps it."""
        ...

    @property
    def epoch(self) -> int:
        """What a fenced store compares; 0, which none takes, when the right is gone."""
        ...

    async def assure(self) -> None:
        """LeaseLostError when somebody else has the right by now; TransientError when nobody can tell."""
        ...


class LeaseLostError(TransientError):
    """Somebody else holds the lease that was ours."""


@contextmanager
def fenced() -> Iterator[None]:
    """Turn the refusal of a script that begins with `FENCE` into LeaseLostError."""
    try:
        yield
    except ResponseError as error:
        if str(error).startswith(LOST):
            raise LeaseLostError("The write was refused: another process now holds the lease.") from None
        raise


class Lease:
    """The right named by `key`, held under the name `owner` for `ttl_s` after every renewal.

    While Redis does not answer, a holder that keeps asking keeps its right: nobody can take it from the same Redis
    either. One that did not ask for `ttl_s`, by a clock that counts suspend, was paused and has to be told first.
    The methods raise TransientError when Redis does not answer.
    """

    def __init__(
        self,
        redis: Redis,
        key: str,
        owner: str,
        *,
        ttl_s: float = TTL_S,
        uptime: Callable[[], float] = uptime_s,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """`pause` is how to wait between two questions whether it is free; it may end sooner."""
        self._redis = redis
        self._pause = pause
        self.key = key
        self.epoch_key = placed(redis, keys.lease_epoch(key))
        self.owner = owner
        self.ttl_s = ttl_s
        self.epoch = 0
        """Higher than that of every earlier holder while it is ours; else 0, which no store takes."""
        self._uptime = uptime
        self._sure_until_s = 0.0
        self._take = redis.register_script(_TAKE)
        self._release = redis.register_script(_RELEASE)

    async def acquire(self) -> bool:
        """Take the lease if it is free or ours already."""
        return await self._ask("take", within_s=self.ttl_s)

    async def renew(self) -> bool:
        """Hold it for another `ttl_s`; False when somebody else has or had it. One that ran out unclaimed is kept."""
        return await self._ask("renew", within_s=self.ttl_s / 2)

    async def assure(self) -> None:
        """Before a write to anywhere but a fenced store: LeaseLostError when it is another's by now.

        Costs nothing while the last renewal is younger than the lease.
        """
        while self._uptime() >= self._sure_until_s:
            if not await self.renew():
                raise self._gone()

    async def release(self) -> bool:
        """Give it back; False when it was not ours."""
        self._forget()
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
            await self._pause(self.ttl_s / 16)
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
            raise self._gone() from None
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

    async def _ask(self, how: str, *, within_s: float) -> bool:
        asked_s = self._uptime()
        try:
            async with answering(f"asking for {self.key}", within_s=within_s):
                arguments: list[str | int] = [self.owner, int(self.ttl_s * 1000), self.epoch, how]
                epoch = int(await self._take(keys=[self.key, self.epoch_key], args=arguments))
        except TransientError:
            if (now_s := self._uptime()) < self._sure_until_s:
                self._sure_until_s = now_s + self.ttl_s
            raise
        if not epoch:
            self._forget()
            return False
        self.epoch, self._sure_until_s = epoch, asked_s + self.ttl_s
        return True

    def _forget(self) -> None:
        self.epoch, self._sure_until_s = 0, 0.0

    def _gone(self) -> LeaseLostError:
        return LeaseLostError(f"{self.key} has gone to another process.")

    async def _give_back(self) -> None:
        """Not waited for longer than a process has for its end: what is not given back runs out."""
        try:
            async with asyncio.timeout(_GIVE_BACK_S):
                await self.release()
        except (TransientError, TimeoutError) as error:
            log.warning("%s was not given back (%s). It ends by itself within %g s.", self.key, error, self.ttl_s)
