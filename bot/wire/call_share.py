"""What part of Discord's calls a second is this process's, where several use one token.

Each process leases a slice for two seconds and renews it twice a second, beside its calls: none ever waits for Redis.
While Redis is away, a process keeps to an equal part of what there is for as many as it knew. One whose event loop was
held for so long that others may have its slice makes hardly a call before it has asked again.
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
_LEAVE_S: Final = 0.3
_COUNTED_S: Final = 1.0
"""So long Discord counts a call: what a process had is nobody else's before."""
_SMOOTHING: Final = 0.2
_LEAST: Final = 2.0
"""Calls a second that an idle process keeps, and one that does not know what it has."""
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
if share < old then high, high_until = math.max(old, high), now + ARGV[5] end
local fields = string.format('%.3f %.3f %.0f %.3f %.0f', share, own, now + ARGV[4], high, high_until)
redis.call('HSET', KEYS[1], ARGV[1], fields)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {string.format('%.3f', share), count}
"""
"""KEYS slices; ARGV process, calls a second that it could use, all there are, ms of the lease, ms that Discord counts a
call. Its slice, and how many share. Who wants less than an equal part leaves the rest to the others; what others hold,
or gave up less than a second ago, is never given a second time."""


class Shared(Protocol):
    """Calls that keep to a rate."""

    @property
    def rate_per_s(self) -> float:
        """Calls a second that may be made."""
        ...

    @property
    def made(self) -> int:
        """Calls so far."""
        ...

    @property
    def waiting(self) -> int:
        """Calls that wait to be made."""
        ...

    def lease(self, rate_per_s: float, *, until_s: float, then_per_s: float) -> None:
        """The rate until a moment of the monotonic clock, and from then on."""
        ...


class CallShare:
    """Keeps the rate of this process's calls at its slice."""

    def __init__(self, redis: Redis, token: str, calls: Shared, clock: Clock) -> None:
        """All that there is to share is the rate that the calls have now."""
        self._key = keys.call_slices(hashlib.sha256(token.encode()).hexdigest()[:16])
        self._calls = calls
        self._clock = clock
        self._total = self._slice = calls.rate_per_s
        self._name = process_name()
        self._ask = redis.register_script(_SHARE)
        self._made = calls.made
        self.made_per_s = 0.0
        """Calls of late."""
        self._sharing = 1
        self._until_s = clock.monotonic()
        self._then_per_s = _LEAST
        """From the end of the lease on: hardly anything, or what is left when nobody can be asked."""

    async def run(self, progress: Progress) -> None:
        """The job: renew until cancelled, then leave the slice to the others."""
        try:
            while True:
                await self.renew()
                progress()
                await self._clock.sleep(RENEW_S)
        finally:
            await self._leave()

    async def renew(self) -> None:
        """Lease a slice by what was used since the last time; without an answer an equal part, once the lease is over.

        That is a second after the question at the latest: it may have been answered with less, which others have then.
        """
        made, self._made = self._calls.made - self._made, self._calls.made
        self.made_per_s += _SMOOTHING * (made / RENEW_S - self.made_per_s)
        wanted = self._total if self._calls.waiting else min(max(1.5 * self._used_per_s(made), _LEAST), self._total)
        asked_s = self._clock.monotonic()
        self._until_s = min(self._until_s, asked_s + _COUNTED_S)
        self._allot()
        try:
            async with asyncio.timeout(_ANSWER_S), answering("sharing calls to Discord"):
                self._slice, self._sharing = await self._asked(wanted, self._total)
        except (TransientError, TimeoutError) as error:
            self._then_per_s = self._total
            log.debug("calls to Discord are not shared now: %s", error)
        else:
            self._until_s, self._then_per_s = asked_s + LEASE_S, _LEAST
        self._allot()

    def _used_per_s(self, made: int) -> float:
        """Boards that fell silent are not forgotten at once: those that nobody takes over have a goodbye to say."""
        return max(made / RENEW_S, self.made_per_s)

    async def _leave(self) -> None:
        """Nothing of all there is from now on, as far as that can be said; else the slice runs out."""
        self._until_s, self._then_per_s = self._clock.monotonic(), _LEAST
        self._allot()
        try:
            async with answering("leaving calls to Discord to others", within_s=_LEAVE_S):
                await self._asked(0.0, 0.0)
        except TransientError as error:
            log.debug("others have this process's calls to Discord when its lease is over: %s", error)

    def _allot(self) -> None:
        """What there is until the lease is over; then at most an equal part."""
        then_per_s = min(self._then_per_s, self._total / self._sharing)
        self._calls.lease(self._slice, until_s=self._until_s, then_per_s=then_per_s)

    async def _asked(self, wanted: float, total: float) -> tuple[float, int]:
        """In Redis the lease is longer than it is believed here: its last calls still count when it is over."""
        lasts_ms, counted_ms = round((LEASE_S + _COUNTED_S) * 1000), round(_COUNTED_S * 1000)
        found: Any = await self._ask(keys=[self._key], args=[self._name, wanted, total, lasts_ms, counted_ms])
        return float(found[0]), int(found[1])
