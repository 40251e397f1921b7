"""Snapshots that another program writes to Redis: nothing to ask for, but somebody has to watch what comes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.errors import TransientError
from streaming.sources.source_book import SourceBook
from streaming.sources.source_kind import Kit, SourceKind
from streaming.status import SourceStatus
from streaming.symbols import Ticker

NAME: Final = "redis"
_SILENT_S: Final = 60.0


class RedisSource:
    """A `SnapshotSource` that only counts: the boards read the same channel themselves."""

    name = NAME

    def __init__(self, tickers: Sequence[Ticker], *, store: SnapshotStore, clock: Clock) -> None:
        """`store` is this source's own, so that its rejections are counted once."""
        self._store = store
        self._clock = clock
        self._names = frozenset(ticker.name for ticker in tickers)
        self._book = SourceBook(NAME, (ticker.name for ticker in tickers))

    def status(self) -> SourceStatus:
        """One look at it; "waiting" again after a minute without a snapshot."""
        status = self._book.status()
        rejected, why = self._store.rejected, self._store.last_rejection
        silent = status.state == "live" and self._silent_s(status.last_snapshot_at) > _SILENT_S
        return replace(
            status, state="waiting" if silent else status.state, rejected=rejected, last_error=why or status.last_error
        )

    async def run(self, progress: Callable[[], None]) -> None:
        """Watch until cancelled; TransientError when the stream of snapshots ends."""
        self._book.begins()
        try:
            async with self._store.listen(self._names.__contains__) as snapshots:
                async for snapshot in snapshots:
                    self._book.stored(snapshot, self._clock.now())
                    progress()
            raise TransientError("The stream of snapshots ended.")
        finally:
            self._book.ends()

    def _silent_s(self, last_at: datetime | None) -> float:
        return 0.0 if last_at is None else (self._clock.now() - last_at).total_seconds()


def _build(tickers: Sequence[Ticker], kit: Kit) -> RedisSource:
    own = SnapshotStore(kit.redis, clock=kit.clock, intake=kit.snapshots.intake)
    return RedisSource(tickers, store=own, clock=kit.clock)


KIND: Final = SourceKind(NAME, _build)
