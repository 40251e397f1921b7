"""What is remembered of Schwab's routes over restarts: which ever worked with an app, and of which trouble was told."""

from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.connection import answering

_WORKED: Final = "worked"
_TOLD: Final = "told"
_KEEP_S: Final = 400 * 86_400


class RedisRouteMemory:
    """One hash for each app, under the fingerprint of its key. TransientError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def has_worked(self, app: str, route: str) -> bool:
        """Whether the route ever worked with this app."""
        async with answering("reading which of Schwab's routes worked"):
            return bool(await self._redis.hexists(keys.routes(app), f"{route} {_WORKED}"))

    async def works(self, app: str, route: str) -> bool:
        """The route works; True for the first who says so after somebody was told of trouble."""
        key = keys.routes(app)
        async with answering("storing which of Schwab's routes work"), self._redis.pipeline() as pipeline:
            pipeline.hset(key, f"{route} {_WORKED}", "1")
            pipeline.hdel(key, f"{route} {_TOLD}")
            pipeline.expire(key, _KEEP_S)
            _, forgotten, _ = await pipeline.execute()
            return bool(forgotten)

    async def claim(self, app: str, route: str) -> bool:
        """True for the first who tells of this trouble."""
        key = keys.routes(app)
        async with answering("remembering what was told of Schwab's routes"), self._redis.pipeline() as pipeline:
            pipeline.hsetnx(key, f"{route} {_TOLD}", "1")
            pipeline.expire(key, _KEEP_S)
            is_first, _ = await pipeline.execute()
            return bool(is_first)
