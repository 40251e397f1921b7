"""What is remembered over restarts and between processes on one Redis: short texts, each under a name.

`about` finishes the sentence "Redis failed while reading …"; every method raises TransientError while Redis is away.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from streaming.bus import keys
from streaming.bus.redis_connection import answering

_KEEP: Final = timedelta(days=400)


class Notes:
    """Each name has a key of its own under a prefix, so that it can expire; the one without a name is the prefix."""

    def __init__(self, redis: Redis, prefix: str, *, about: str) -> None:
        self._redis = redis
        self._prefix = prefix
        self._about = about

    async def get(self, name: str = "") -> str | None:
        """What was last set; None when nothing was, or when it was released."""
        async with answering(f"reading {self._about}"):
            text = await self._redis.get(self._key(name))
        return None if text is None else _text(text)

    async def set(self, text: str, name: str = "") -> None:
        """Remember this until something else is set."""
        async with answering(f"storing {self._about}"):
            await self._redis.set(self._key(name), text)

    async def claim(self, name: str, *, ttl: timedelta) -> bool:
        """True for the first who asks under a name within `ttl`."""
        async with answering(f"remembering {self._about}"):
            return bool(await self._redis.set(self._key(name), "1", nx=True, ex=ttl))

    async def release(self, name: str = "") -> bool:
        """Forget a name; True for the first who says so."""
        async with answering(f"forgetting {self._about}"):
            return bool(await self._redis.delete(self._key(name)))

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{name}" if name else self._prefix


class NoteTable:
    """All names in one hash, which is read and replaced as a whole; kept for `keep` after it was last changed."""

    def __init__(self, redis: Redis, key: str, *, about: str, keep: timedelta | None = None) -> None:
        self._redis = redis
        self._key = key
        self._about = about
        self._keep = keep

    async def read(self) -> Mapping[str, str]:
        """Name to text; empty when nothing is remembered."""
        async with answering(f"reading {self._about}"):
            found = await self._redis.hgetall(self._key)
        return {_text(name): _text(text) for name, text in found.items()}

    async def replace(self, texts: Mapping[str, str]) -> None:
        """Remember these and nothing else."""
        async with answering(f"storing {self._about}"), self._redis.pipeline() as pipeline:
            pipeline.delete(self._key)
            for name, text in texts.items():
                pipeline.hset(self._key, name, text)
            await pipeline.execute()

    async def has(self, name: str) -> bool:
        """Whether anything is remembered under a name."""
        async with answering(f"reading {self._about}"):
            return bool(await self._redis.hexists(self._key, name))

    async def claim(self, name: str) -> bool:
        """True for the first who asks under a name."""
        async with answering(f"remembering {self._about}"), self._redis.pipeline() as pipeline:
            pipeline.hsetnx(self._key, name, "1")
            return await self._first_of(pipeline)

    async def exchange(self, gone: str, come: str) -> bool:
        """Forget one name and remember another; True for the first who forgets it."""
        async with answering(f"storing {self._about}"), self._redis.pipeline() as pipeline:
            pipeline.hdel(self._key, gone)
            pipeline.hset(self._key, come, "1")
            return await self._first_of(pipeline)

    async def _first_of(self, pipeline: Pipeline) -> bool:
        if self._keep is not None:
            pipeline.expire(self._key, self._keep)
        return bool((await pipeline.execute())[0])


class RecentNotes:
    """The newest texts, at most `most` of them and none older than `keep`."""

    def __init__(self, redis: Redis, key: str, *, about: str, most: int, keep: timedelta) -> None:
        self._redis = redis
        self._key = key
        self._about = about
        self._most = most
        self._keep = keep

    async def add(self, text: str, at_ms: int) -> None:
        """Keep a text, which must differ from all others, and forget what is too old or too many."""
        async with answering(f"storing {self._about}"), self._redis.pipeline() as pipeline:
            pipeline.zadd(self._key, {text: at_ms})
            pipeline.zremrangebyscore(self._key, "-inf", self._oldest(at_ms))
            pipeline.zremrangebyrank(self._key, 0, -self._most - 1)
            pipeline.expire(self._key, self._keep)
            await pipeline.execute()

    async def read(self, now_ms: int) -> list[str]:
        """What is kept, newest first."""
        async with answering(f"reading {self._about}"):
            found: Sequence[Any] = await self._redis.zrangebyscore(self._key, f"({self._oldest(now_ms)}", "+inf")
        return [_text(text) for text in reversed(found)]

    def _oldest(self, now_ms: int) -> int:
        return now_ms - int(self._keep.total_seconds() * 1000)


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class RedisRouteMemory:
    """One table for each app, under the fingerprint of its key. TransientError while Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def has_worked(self, app: str, route: str) -> bool:
        return await self._table(app).has(f"{route} worked")

    async def works(self, app: str, route: str) -> bool:
        return await self._table(app).exchange(f"{route} told", f"{route} worked")

    async def claim(self, app: str, route: str) -> bool:
        return await self._table(app).claim(f"{route} told")

    def _table(self, app: str) -> NoteTable:
        return NoteTable(self._redis, keys.routes(app), about="which of Schwab's routes worked", keep=_KEEP)
