"""Where the bot remembers across restarts what the operators were told."""

from datetime import timedelta

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.connection import answering


class RedisTold:
    """Implements `bot.operate.login_watch.Memory` with keys that expire."""

    def __init__(self, redis: Redis, prefix: str = keys.LOGIN_TOLD) -> None:
        self._redis = redis
        self._prefix = prefix

    async def claim(self, name: str, *, ttl: timedelta) -> bool:
        """True for the first who asks under a name within `ttl`; TransientError while Redis is away."""
        async with answering("remembering what the operators were told"):
            return bool(await self._redis.set(f"{self._prefix}:{name}", "1", nx=True, ex=ttl))

    async def release(self, name: str) -> bool:
        """Forget a name; True for the first who says so. TransientError while Redis is away."""
        async with answering("forgetting what the operators were told"):
            return bool(await self._redis.delete(f"{self._prefix}:{name}"))
