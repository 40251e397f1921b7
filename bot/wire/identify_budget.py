"""Counts the sessions opened at Discord's gateway: after a thousand in a day Discord resets the bot's token."""

import asyncio
import hashlib
import logging
import secrets
from collections import deque
from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.clock import Clock, epoch_ms
from streaming.errors import OperatorError, TransientError

log = logging.getLogger(__name__)

MOST: Final = 900
"""Of Discord's thousand; the rest is for whatever else uses the token."""
_DAY_MS: Final = 24 * 3_600_000
_ANSWER_S: Final = 2.0


class IdentifyBudget:
    """The sessions of one token in the last 24 hours, over restarts and processes where there is a Redis."""

    def __init__(self, redis: Redis | None, token: str, clock: Clock, *, most: int = MOST) -> None:
        self._redis = redis
        self._key = keys.identifies(hashlib.sha256(token.encode()).hexdigest()[:16])
        self._clock = clock
        self._most = most
        self._own: deque[int] = deque()

    @property
    def most(self) -> int:
        """How many a day are taken."""
        return self._most

    async def used(self) -> int:
        """How many were opened in the last 24 hours, as far as is known."""
        stored, _ = await self._stored(epoch_ms(self._clock.now()))
        return max(stored, len(self._own))

    async def check(self) -> None:
        """OperatorError with the time to wait when Discord would come near to resetting the token."""
        now_ms = epoch_ms(self._clock.now())
        while self._own and self._own[0] <= now_ms - _DAY_MS:
            self._own.popleft()
        used, oldest_ms = max(await self._stored(now_ms), (len(self._own), self._own[0] if self._own else now_ms))
        if used >= self._most:
            raise OperatorError(
                f"The bot opened {used} sessions at Discord's gateway within a day; at 1,000 Discord resets the token.",
                remedy="Find what restarts the bot or closes its connection; it connects again later in the day.",
                retry_after_s=max(oldest_ms + _DAY_MS - now_ms, 0) / 1000,
            )

    async def note(self) -> None:
        """One more session is about to be opened."""
        now_ms = epoch_ms(self._clock.now())
        self._own.append(now_ms)
        if self._redis is None:
            return
        try:
            async with asyncio.timeout(_ANSWER_S), answering("counting gateway sessions"):
                await self._redis.zadd(self._key, {f"{now_ms}-{secrets.token_hex(4)}": now_ms})
                await self._redis.pexpire(self._key, _DAY_MS)
        except (TransientError, TimeoutError) as error:
            log.info("gateway sessions are counted in memory only: %s", error)

    async def _stored(self, now_ms: int) -> tuple[int, int]:
        """How many Redis knows of, and when the oldest was; nothing while it is away."""
        if self._redis is None:
            return 0, now_ms
        try:
            async with asyncio.timeout(_ANSWER_S), answering("counting gateway sessions"):
                await self._redis.zremrangebyscore(self._key, "-inf", now_ms - _DAY_MS)
                used = int(await self._redis.zcard(self._key))
                oldest = await self._redis.zrange(self._key, 0, 0, withscores=True)
        except (TransientError, TimeoutError):
            return 0, now_ms
        return used, int(oldest[0][1]) if oldest else now_ms
