"""Where the bot remembers across restarts whether the stream is wanted."""

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.connection import answering


class RedisWishes:
    """Implements `bot.operate.stream.WishStore` on one Redis key."""

    def __init__(self, redis: Redis, key: str = keys.STREAM_WANTED) -> None:
        self._redis = redis
        self._key = key

    async def wanted(self) -> bool:
        """Whether the last order was to stream; TransientError while Redis is away."""
        async with answering("reading whether the stream is wanted"):
            return bool(await self._redis.exists(self._key))

    async def remember(self, *, wanted: bool) -> None:
        """Store the last order; TransientError while Redis is away."""
        async with answering("storing whether the stream is wanted"):
            if wanted:
                await self._redis.set(self._key, "1")
            else:
                await self._redis.delete(self._key)
