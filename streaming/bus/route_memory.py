"""What is remembered of Schwab's routes over restarts: which ever worked with an app, and of which trouble was told."""

from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.notes import NoteTable

_KEEP: Final = timedelta(days=400)


class RedisRouteMemory:
    """One table for each app, under the fingerprint of its key. TransientError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def has_worked(self, app: str, route: str) -> bool:
        """Whether the route ever worked with this app."""
        return await self._table(app).has(f"{route} worked")

    async def works(self, app: str, route: str) -> bool:
        """The route works; True for the first who says so after somebody was told of trouble."""
        return await self._table(app).exchange(f"{route} told", f"{route} worked")

    async def claim(self, app: str, route: str) -> bool:
        """True for the first who tells of this trouble."""
        return await self._table(app).claim(f"{route} told")

    def _table(self, app: str) -> NoteTable:
        return NoteTable(self._redis, keys.routes(app), about="which of Schwab's routes worked", keep=_KEEP)
