"""One IDENTIFY in five seconds and bucket, whichever process of the bot sends it.

Discord's developer documentation, "Sharding": shards whose number has the same remainder by `max_concurrency` are a
bucket, and one of a bucket may identify every five seconds.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.clock import Clock
from streaming.errors import TransientError

APART_S: Final = 5.3
"""A little more than Discord says: one IDENTIFY may be longer on its way than the next."""
_ANSWER_S: Final = 1.0
_LEAST_S: Final = 0.02
_LONGEST_S: Final = 0.5
"""Between two looks: what was taken may be free sooner than it seemed."""


class IdentifySlots:
    """The turns of one bot token, through Redis; while that is away, those of this process alone."""

    def __init__(self, redis: Redis, fingerprint: str, clock: Clock, *, at_once: int) -> None:
        """`at_once` is Discord's `max_concurrency`."""
        self._redis = redis
        self._fingerprint = fingerprint
        self._clock = clock
        self._at_once = max(at_once, 1)
        self._locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._last_s: dict[int, float] = {}

    @asynccontextmanager
    async def near(self, shard: int) -> AsyncIterator[None]:
        """Wait until a slot is likely to be free, so that a connection dialled inside does not wait for it for long."""
        async with self._locks[shard % self._at_once]:
            while (wait_s := await self._free_in_s(shard % self._at_once)) > 0:
                await self._clock.sleep(_pause_s(wait_s))
            yield

    async def claim(self, shard: int) -> None:
        """Wait for a slot and take it: the IDENTIFY is sent at once."""
        bucket = shard % self._at_once
        while not await self._take(bucket):
            await self._clock.sleep(_pause_s(await self._free_in_s(bucket)))
        self._last_s[bucket] = self._clock.monotonic()

    async def _take(self, bucket: int) -> bool:
        key = keys.identify_slot(self._fingerprint, bucket)
        try:
            async with answering("waiting to open a session at Discord's gateway", within_s=_ANSWER_S):
                return bool(await self._redis.set(key, "taken", nx=True, px=round(APART_S * 1000)))
        except TransientError:
            return self._own_left_s(bucket) <= 0

    async def _free_in_s(self, bucket: int) -> float:
        key = keys.identify_slot(self._fingerprint, bucket)
        try:
            async with answering("waiting to open a session at Discord's gateway", within_s=_ANSWER_S):
                return max(int(await self._redis.pttl(key)), 0) / 1000
        except TransientError:
            return self._own_left_s(bucket)

    def _own_left_s(self, bucket: int) -> float:
        return max(self._last_s.get(bucket, -math.inf) + APART_S - self._clock.monotonic(), 0.0)


def _pause_s(wait_s: float) -> float:
    return min(max(wait_s, _LEAST_S), _LONGEST_S)
