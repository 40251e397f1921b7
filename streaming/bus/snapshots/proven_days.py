"""The last day on which each live source really gave figures in a session, kept over restarts."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.notes import NoteTable
from streaming.calendar import new_york, session_on
from streaming.clock import date_of, epoch_ms, instant_of
from streaming.model import GexSnapshot

LIVE_SOURCES: Final = frozenset({"schwab", "gexbot"})
_FRESH_MS: Final = 60_000


class ProvenDays:
    """Notes a day once for each source; figures that are made up, delayed, played or old prove nothing."""

    def __init__(self, redis: Redis) -> None:
        self._table = NoteTable(redis, keys.PROVEN_DAYS, about="which sources have proven themselves")
        self._noted: dict[str, str] = {}

    def queue(self, pipeline: Any, snapshot: GexSnapshot, *, now_ms: int) -> str | None:
        """Add the command that notes the day a snapshot proves, if there is news; give the result to `noted`."""
        day = proven_day(snapshot, now_ms=now_ms)
        if day is None or self._noted.get(snapshot.source) == day:
            return None
        pipeline.hset(keys.PROVEN_DAYS, snapshot.source, day)
        return day

    def noted(self, snapshot: GexSnapshot, day: str | None) -> None:
        """The queued command has run."""
        if day is not None:
            self._noted[snapshot.source] = day

    async def read(self) -> Mapping[str, date]:
        """Source to its last good day; TransientError when Redis is away."""
        days = {name: date_of(day) for name, day in (await self._table.read()).items()}
        return {name: day for name, day in days.items() if day is not None}


def proven_day(snapshot: GexSnapshot, *, now_ms: int) -> str | None:
    """The ISO date in New York of the session in which a snapshot shows its source alive, or None."""
    if snapshot.source not in LIVE_SOURCES or snapshot.delayed or snapshot.replay is not None:
        return None
    if snapshot.spot is None or snapshot.sum_gex_oi is None or not 0 <= now_ms - snapshot.asof_ms <= _FRESH_MS:
        return None
    session = session_on(new_york(instant_of(snapshot.asof_ms)).date())
    if session is None or not epoch_ms(session.open_at) <= snapshot.asof_ms < epoch_ms(session.close_at):
        return None
    return session.date.isoformat()
