"""What each process tells the others of the boards that it writes, so that any of them can answer `/feed status`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

import msgspec
from redis.asyncio import Redis

from bot.feed.feed_metrics import BoardCounters, BoardState, BoardStatus, FeedStatus
from bot.feed.part import FeedPart
from streaming.bus import keys
from streaming.bus.redis_connection import answering
from streaming.clock import Clock

KEPT_S: Final = 10.0
"""A process that told nothing for so long writes nothing either."""
_ANSWER_S: Final = 1.0


class BoardNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One board as its process tells it; times are instants."""

    channel_id: int
    ticker: str
    state: BoardState
    reason: str
    origin: str
    until: datetime | None = None
    since_at: datetime | None = None
    message_id: int | None = None
    without_picture: str | None = None
    last_edit_at: datetime | None = None
    errors: int = 0
    pace_per_s: float = 0.0


class PartNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of the boards, and what its process receives."""

    boards: tuple[BoardNote, ...]
    listening: bool = False
    last_snapshot_at: datetime | None = None


class BoardNotes:
    """One text a part, forgotten when nobody writes it. Methods raise TransientError while Redis is away."""

    def __init__(self, redis: Redis, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock
        self._decoder = msgspec.json.Decoder(PartNote)

    async def tell(self, part: FeedPart, status: FeedStatus) -> None:
        """Say what a part's boards do."""
        now = self._clock.now()
        note = PartNote(
            boards=tuple(_note(board, now) for board in status.boards),
            listening=status.listening,
            last_snapshot_at=status.last_snapshot_at,
        )
        async with answering("telling what live messages do", within_s=_ANSWER_S):
            await self._redis.set(_key(part), msgspec.json.encode(note), px=round(KEPT_S * 1000))

    async def told(self, parts: Iterable[FeedPart]) -> Mapping[int, FeedStatus]:
        """What was said of these parts lately, by their numbers."""
        async with answering("reading what live messages do", within_s=_ANSWER_S):
            payloads = {part.number: await self._redis.get(_key(part)) for part in parts}
        found = {number: self._read(payload) for number, payload in payloads.items()}
        return {number: _status(note) for number, note in found.items() if note is not None}

    def _read(self, payload: bytes | str | None) -> PartNote | None:
        try:
            return None if payload is None else self._decoder.decode(payload)
        except msgspec.MsgspecError:
            return None


def _key(part: FeedPart) -> str:
    return keys.feed_notes(part.number, part.count)


def _note(board: BoardStatus, now: datetime) -> BoardNote:
    return BoardNote(
        channel_id=board.channel_id,
        ticker=board.ticker,
        state=board.state,
        reason=board.reason,
        origin=board.origin,
        until=board.until,
        since_at=board.since_at,
        message_id=board.message_id,
        without_picture=board.without_picture,
        last_edit_at=board.counters.last_edit_at,
        errors=board.counters.errors,
        pace_per_s=board.counters.pace_per_s(now),
    )


def _status(note: PartNote) -> FeedStatus:
    return FeedStatus(
        boards=tuple(_board(board) for board in note.boards),
        leading=True,
        listening=note.listening,
        last_snapshot_at=note.last_snapshot_at,
    )


def _board(note: BoardNote) -> BoardStatus:
    return BoardStatus(
        channel_id=note.channel_id,
        ticker=note.ticker,
        state=note.state,
        reason=note.reason,
        origin=note.origin,
        until=note.until,
        since_at=note.since_at,
        message_id=note.message_id,
        without_picture=note.without_picture,
        counters=BoardCounters(last_edit_at=note.last_edit_at, errors=note.errors),
        told_pace_per_s=note.pace_per_s,
    )
