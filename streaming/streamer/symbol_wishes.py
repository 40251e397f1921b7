"""The operators' changes to the streamed symbols, kept in Redis across restarts and processes."""

from typing import Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.notes import NoteTable
from streaming.streamer.streamed_symbols import SymbolChanges

_ADDED: Final = "added"
_REMOVED: Final = "removed"


class SymbolWishes:
    """One hash: symbol -> `added` or `removed`. TransientError while Redis is away."""

    def __init__(self, redis: Redis, key: str = keys.STREAM_SYMBOLS) -> None:
        self._table = NoteTable(redis, key, about="the symbols to stream")

    async def load(self) -> SymbolChanges:
        """What was last stored; no change when nothing was."""
        wishes = await self._table.read()
        return SymbolChanges(
            added=tuple(sorted(symbol for symbol, wish in wishes.items() if wish == _ADDED)),
            removed=frozenset(symbol for symbol, wish in wishes.items() if wish == _REMOVED),
        )

    async def store(self, changes: SymbolChanges) -> None:
        """Replace what is stored."""
        await self._table.replace(dict.fromkeys(changes.added, _ADDED) | dict.fromkeys(changes.removed, _REMOVED))
