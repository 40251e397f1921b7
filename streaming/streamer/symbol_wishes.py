"""The operators' changes to the streamed symbols, kept in Redis across restarts and processes."""

from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.connection import answering
from streaming.streamer.symbols import SymbolChanges

_ADDED: Final = "added"
_REMOVED: Final = "removed"


class SymbolWishes:
    """One hash: symbol -> `added` or `removed`. TransientError while Redis is away."""

    def __init__(self, redis: Redis, key: str = keys.STREAM_SYMBOLS) -> None:
        self._redis = redis
        self._key = key

    async def load(self) -> SymbolChanges:
        """What was last stored; no change when nothing was."""
        async with answering("reading the symbols to stream"):
            stored = await self._redis.hgetall(self._key)
        wishes = {_text(symbol): _text(wish) for symbol, wish in stored.items()}
        return SymbolChanges(
            added=tuple(sorted(symbol for symbol, wish in wishes.items() if wish == _ADDED)),
            removed=frozenset(symbol for symbol, wish in wishes.items() if wish == _REMOVED),
        )

    async def store(self, changes: SymbolChanges) -> None:
        """Replace what is stored."""
        mapping = dict.fromkeys(changes.added, _ADDED) | dict.fromkeys(changes.removed, _REMOVED)
        async with answering("storing the symbols to stream"), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.delete(self._key)
            if mapping:
                pipeline.hset(self._key, mapping=mapping)  # type: ignore[arg-type]  # redis-py wants one type of value
            await pipeline.execute()


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
