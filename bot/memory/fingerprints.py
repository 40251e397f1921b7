"""Where the bot remembers which slash commands Discord was last given."""

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.connection import answering


class RedisFingerprints:
    """Implements `bot.client.FingerprintStore` on one Redis key."""

    def __init__(self, redis: Redis, key: str = keys.COMMAND_FINGERPRINT) -> None:
        self._redis = redis
        self._key = key

    async def load(self) -> str | None:
        """The fingerprint uploaded last, None before the first. TransientError while Redis is away."""
        async with answering("reading the fingerprint of the slash commands"):
            value = await self._redis.get(self._key)
        return value.decode() if isinstance(value, bytes) else value

    async def save(self, fingerprint: str) -> None:
        """Remember what Discord has now. TransientError while Redis is away."""
        async with answering("storing the fingerprint of the slash commands"):
            await self._redis.set(self._key, fingerprint)
