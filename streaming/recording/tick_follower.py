"""The tick stream read entry by entry from where the last reader stopped; what was trimmed unread is counted."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from streaming.bus import keys
from streaming.bus.publish.batch import FIELD
from streaming.bus.redis_connection import answering

PAGE: Final = 1_000
_BEGINNING: Final = "0-0"


class Position(msgspec.Struct, frozen=True):
    """How far a stream was read."""

    id: str
    count: int | None
    """How many entries the stream had been given up to that one; None where the server does not count (Redis 6)."""


@dataclass(frozen=True, slots=True)
class TickPage:
    """Entries in order, and whether some before them were missed."""

    entries: list[tuple[str, bytes]]
    """(entry id, payload)."""
    gap: str | None = None
    """Why some were missed; None when none were."""
    lost: int | None = None
    """How many; None when nobody can know."""


class TickFollower:
    """Reads `market_data:ticks:stream` on from `position`, or from now on without one."""

    def __init__(self, redis: Redis, position: Position | None = None, *, page: int = PAGE) -> None:
        self._redis = redis
        self._page = page
        self.position = position

    async def read(self) -> TickPage:
        """The next entries, perhaps none; TransientError when Redis is away."""
        if self.position is None:
            facts, _ = await self._look("$")
            self.position = _end_of(facts)
            return TickPage([])
        facts, entries = await self._look(self.position.id)
        gap, lost = self._missed(facts, self.position)
        self._move_on(facts, entries)
        return TickPage(entries, gap, lost)

    async def _look(self, after: str) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
        """What the stream says of itself and the entries after an id, both of one instant."""
        async with answering("reading the tick stream"), self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xinfo_stream(keys.TICKS_STREAM)
            pipeline.xread({keys.TICKS_STREAM: after}, count=self._page)
            facts, found = await pipeline.execute(raise_on_error=False)
            for reply in (facts, found):
                if isinstance(reply, RedisError) and not isinstance(reply, ResponseError):
                    raise reply
        if isinstance(facts, ResponseError):  # there is no stream yet
            return {}, []
        entries = found[0][1] if found else []
        return facts, [(entry.decode(), fields.get(FIELD, b"")) for entry, fields in entries]

    def _missed(self, facts: dict[str, Any], position: Position) -> tuple[str | None, int | None]:
        if _place(_last_id(facts)) < _place(position.id):
            self.position = Position(_BEGINNING, 0)
            return "the stream began anew", None
        trimmed = _trimmed(facts)
        if trimmed is not None and position.count is not None:
            lost = trimmed - position.count
            return ("the stream was trimmed before it was read", lost) if lost > 0 else (None, None)
        first = facts.get("first-entry")
        if position.id != _BEGINNING and first and _place(first[0].decode()) > _place(position.id):
            return "the stream was trimmed before it was read", None
        return None, None

    def _move_on(self, facts: dict[str, Any], entries: list[tuple[str, bytes]]) -> None:
        if not entries or self.position is None:
            return
        added = facts.get("entries-added")
        count = self.position.count
        if count is not None and added is not None:
            count = max(count, _trimmed(facts) or 0) + len(entries)
        self.position = Position(entries[-1][0], count)


def _end_of(facts: dict[str, Any]) -> Position:
    return Position(_last_id(facts), facts.get("entries-added", None if facts else 0))


def _last_id(facts: dict[str, Any]) -> str:
    last = facts.get("last-generated-id", _BEGINNING)
    return last.decode() if isinstance(last, bytes) else str(last)


def _trimmed(facts: dict[str, Any]) -> int | None:
    added = facts.get("entries-added")
    return None if added is None else int(added) - int(facts["length"])


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)
