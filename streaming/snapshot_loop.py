"""Snapshots at the feed's pace: what has news is computed again and stored."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from streaming.clock import Clock
from streaming.engine_room import EngineRoom
from streaming.errors import TransientError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotSink

_LOG: Final = logging.getLogger(__name__)
_SLOW_COMPUTE_S: Final = 0.05


@dataclass(slots=True)
class SnapshotCounters:
    """What happened since the process started."""

    snapshots: int = 0
    compute_errors: int = 0
    store_errors: int = 0
    compute_ms: float | None = None
    last_snapshot_at: datetime | None = None
    last_error: str | None = None


class SnapshotLoop:
    """Computes each ticker with news once a beat; a slow round shifts the next, it never queues."""

    def __init__(
        self, room: EngineRoom, sink: SnapshotSink, clock: Clock, *, every_s: float, counters: SnapshotCounters
    ) -> None:
        self._room = room
        self._sink = sink
        self._clock = clock
        self._every_s = every_s
        self._counters = counters
        self._logged: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Compute and store until cancelled."""
        clock = self._clock
        due_s = clock.monotonic()
        while True:
            for name in self._room.take_dirty():
                await self._compute_one(name)
                await asyncio.sleep(0)
            due_s = max(due_s + self._every_s, clock.monotonic())
            await clock.sleep(due_s - clock.monotonic())

    async def _compute_one(self, name: str) -> None:
        clock, counters = self._clock, self._counters
        began_s = clock.monotonic()
        try:
            snapshot = self._room.compute(name, clock.now())
        except Exception as error:  # noqa: BLE001  # one ticker's trouble, of whatever kind, is not the stream's
            self._note_failure(name, error)
            return
        took_s = clock.monotonic() - began_s
        counters.compute_ms = took_s * 1000
        if took_s > _SLOW_COMPUTE_S:
            _LOG.info("computing %s took %.0f ms", name, took_s * 1000)
        if snapshot is not None:
            await self._put(snapshot)

    def _note_failure(self, name: str, error: Exception) -> None:
        """Count it; the traceback of each kind of error of a ticker is logged once."""
        kind = type(error).__name__
        self._counters.compute_errors += 1
        self._counters.last_error = f"{name} could not be computed ({kind})."
        if (name, kind) not in self._logged:
            self._logged.add((name, kind))
            _LOG.error("%s could not be computed", name, exc_info=error)

    async def _put(self, snapshot: GexSnapshot) -> None:
        try:
            await self._sink.put(snapshot)
        except TransientError as error:
            self._counters.store_errors += 1
            self._counters.last_error = str(error)
            _LOG.warning("a snapshot of %s was not stored: %s", snapshot.ticker, error)
        else:
            self._counters.snapshots += 1
            self._counters.last_snapshot_at = self._clock.now()
