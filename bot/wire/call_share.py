"""What part of Discord's calls a second is this process's, where several use one token.

Each process leases a slice for two seconds and renews it twice a second, beside its calls: none ever waits for Redis.
While Redis is away, a process keeps to an equal part of what there is for as many as it knew.
"""

import asyncio
import hashlib
import logging
from typing import Any, Final, Protocol

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import process_name
from streaming.bus.redis_connection import answering
from streaming.clock import Clock
from streaming.errors import TransientError
from streaming.ports import Progress

log = logging.getLogger(__name__)

LEASE_S: Final = 2.0
RENEW_S: Final = 0.5
_ANSWER_S: Final = 1.0
_SMOOTHING: Final = 0.2
_LEAST: Final = 2.0
"""Calls a second that an idle process keeps."""
_SHARE: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local total = tonumber(ARGV[3])
local wants, others, count, old, high, high_until = {}, 0, 1, 0, 0, 0
local raw = redis.call('HGETALL', KEYS[1])
for i = 1, #raw, 2 do
  local rate, want, ends, before, before_until = raw[i + 1]:match('(%S+) (%S+) (%S+) (%S+) (%S+)')
  if tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], raw[i])
  else
    if tonumber(before_until) <= now then before = 0 end
    if raw[i] == ARGV[1] then
      old, high, high_until = tonumber(rate), tonumber(before), tonumber(before_until)
    else
      count = count + 1
      others = others + math.max(tonumber(rate), tonumber(before))
      wants[#wants + 1] = tonumber(want)
    end
  end
end
local own, left, sharing = tonumber(ARGV[2]), total, count
local sum = own
table.sort(wants)
for _, want in ipairs(wants) do
  sum = sum + want
  if want < own then left, sharing = left - math.min(want, left / sharing), sharing - 1 end
end
local share = math.min(own, left / sharing)
if sum < total then share = own + (total - sum) / count end
share = math.min(share, math.max(total - others, 0))
if share < old then high, high_until = math.max(old, high), now + 1000 end
local fields = string.format('%.3f %.3f %.0f %.3f %.0f', share, own, now + ARGV[4], high, high_until)
redis.call('HSET', KEYS[1], ARGV[1], fields)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {string.format('%.3f', share), count}
"""
"""KEYS slices; ARGV process, calls a second that it could use, all there are, ms of the lease. Its slice, and how many
share. Who wants less than an equal part leaves the rest to the others; what others hold, or gave up less than a second
ago, is never given a second time."""


class Shared(Protocol):
    """Calls that keep to a rate."""

    rate_per_s: float

    @property
    def made(self) -> int:
        """Calls so far."""
        ...

    @property
    def waiting(self) -> int:
        """Calls that wait to be made."""
        ...


class CallShare:
    """Keeps the rate of this process's calls at its slice."""

    def __init__(self, redis: Redis, token: str, calls: Shared, clock: Clock) -> None:
        """All that there is to share is the rate that the calls have now."""
        self._key = keys.call_slices(hashlib.sha256(token.encode()).hexdigest()[:16])
        self._calls = calls
        self._clock = clock
        self._total = calls.rate_per_s
        self._name = process_name()
        self._ask = redis.register_script(_SHARE)
        self._made = calls.made
        self.made_per_s = 0.0
        """Calls of late."""
        self._sharing = 1
        self._until_s = clock.monotonic()

    async def run(self, progress: Progress) -> None:
        """The job: renew for ever."""
        while True:
            await self.renew()
            progress()
            await self._clock.sleep(RENEW_S)

    async def renew(self) -> None:
        """Lease a slice by what was used since the last time; without Redis an equal part, once the lease is over."""
        made, self._made = self._calls.made - self._made, self._calls.made
        self.made_per_s += _SMOOTHING * (made / RENEW_S - self.made_per_s)
        wanted = self._total if self._calls.waiting else min(max(1.5 * made / RENEW_S, _LEAST), self._total)
        try:
            async with asyncio.timeout(_ANSWER_S), answering("sharing calls to Discord"):
                share, count = await self._asked(wanted)
        except (TransientError, TimeoutError) as error:
            if self._clock.monotonic() >= self._until_s:
                self._calls.rate_per_s = self._total / self._sharing
            log.debug("calls to Discord are not shared now: %s", error)
            return
        self._sharing, self._until_s = count, self._clock.monotonic() + LEASE_S
        self._calls.rate_per_s = share

    async def _asked(self, wanted: float) -> tuple[float, int]:
        found: Any = await self._ask(keys=[self._key], args=[self._name, wanted, self._total, round(LEASE_S * 1000)])
        return float(found[0]), int(found[1])
