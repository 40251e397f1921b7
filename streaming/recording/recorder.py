"""The recorder: what is published, onto the disk, at most half a second later, off the event loop."""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.metrics_store import hash_fields, kept, write_metrics
from streaming.bus.mishaps import Mishaps
from streaming.bus.snapshots.intake import SnapshotIntake
from streaming.bus.subscription import messages
from streaming.clock import Clock, epoch_ms, is_instant
from streaming.errors import UNREADABLE, ContractError, OperatorError, TransientError
from streaming.model import GexSnapshot, is_made_up
from streaming.process.trouble import LastingTrouble
from streaming.recording.disk import RecordDisk
from streaming.recording.record_lines import Gap, day_of, gap_line, levels_only, snapshot_line, tick_line
from streaming.recording.recording_files import KINDS, Kind, Part
from streaming.recording.tick_follower import Position, TickFollower, TickPage
from streaming.recording.writer import PartKey, RecordWriter
from streaming.status import RecorderStatus

_LOG: Final = logging.getLogger(__name__)
_FLUSH_EVERY_S: Final = 0.5
_REPORT_EVERY_S: Final = 1.0
_LOG_EVERY: Final = 300
"""Reports."""
_RETRY_S: Final = 1.0
_REPLAYED: Final = "replay"
_MOST_TICK_BYTES: Final = 64_000


METRICS: Final = (
    kept("state", "failed: a person must act; last_error says what to do.", "state", labels=("state",)),
    kept("path", "The folder of the recordings."),
    kept("with_ticks", "Whether ticks are recorded too."),
    kept("snapshots", "Snapshots recorded since the process started.", "snapshots_total"),
    kept("ticks", "Ticks recorded.", "ticks_total"),
    kept("gaps", "Times at which something was missed; each stands in the recording too.", "gaps_total"),
    kept("lost", "Entries known to be missed; a gap of unknown size adds nothing.", "lost_total"),
    kept("rejected", "Payloads without usable figures.", "rejected_total"),
    kept("replayed", "Snapshots and ticks left out because they came from a recording.", "replayed_total"),
    kept("written_bytes", "Written by this process, compressed.", "written_bytes_total"),
    kept("total_bytes", "Of all recordings in the folder.", "folder_bytes"),
    kept("last_write_at", "When lines were last forced to the disk."),
    kept("last_error", "One sentence with its remedy."),
)
"""The hash `metrics:gex_recorder`, read off a `RecorderStatus`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordOrder:
    """What is recorded, and where to."""

    path: Path
    max_mb: int
    ticks: bool = False
    tickers: Collection[str] | None = None
    """Only the snapshots of these; None is all."""
    levels_only: bool = False
    """For the history: of each quote time of the market itself the levels, no tables, and no metrics of that."""


class _TickHead(msgspec.Struct, frozen=True):
    event_ms: int
    source: str = ""


_TICK_HEAD: Final = msgspec.json.Decoder(_TickHead)


def _tick_head(payload: bytes) -> _TickHead:
    """ContractError for what is no tick, or is of no time."""
    try:
        head = _TICK_HEAD.decode(payload) if len(payload) <= _MOST_TICK_BYTES else None
    except UNREADABLE:
        head = None
    if head is None or not is_instant(head.event_ms):
        raise ContractError("An entry of the tick stream is not a tick.")
    return head


class Recorder:
    """Records while it runs; `run` may be called again after it ended, never twice at once."""

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        order: RecordOrder,
        *,
        flush_s: float = _FLUSH_EVERY_S,
        intake: SnapshotIntake | None = None,
    ) -> None:
        """`intake` is shared by all readers of a process."""
        self._redis = redis
        self._clock = clock
        self._order = order
        self._flush_s = flush_s
        settings = "GEX_HISTORY" if order.levels_only else "GEX_RECORD"
        self._disk = RecordDisk(RecordWriter(order.path, max_mb=order.max_mb, settings=settings))
        self._buffer = LineBuffer()
        self._unread = LastingTrouble(_LOG, monotonic=clock.monotonic)
        self._position: Position | None = None
        self._heard_ms: int | None = None
        self._last_ms: dict[str, int] = {}
        self._running = False
        self._snapshots = 0
        self._ticks = 0
        self._intake = intake or SnapshotIntake()
        self._unusable = Mishaps("The recorder")
        self._replayed = 0
        self._last_write_at: datetime | None = None
        self._last_error: str | None = None

    def status(self) -> RecorderStatus:
        """The counters now."""
        failed = self._last_error is not None and not self._running
        return RecorderStatus(
            state="recording" if self._running else "failed" if failed else "stopped",
            path=str(self._order.path),
            with_ticks=self._order.ticks,
            snapshots=self._snapshots,
            ticks=self._ticks,
            gaps=self._buffer.gaps,
            lost=self._buffer.lost,
            rejected=self._unusable.count,
            replayed=self._replayed,
            written_bytes=self._disk.written_bytes,
            total_bytes=self._disk.total_bytes,
            last_write_at=self._last_write_at,
            last_error=self._last_error,
        )

    async def run(self, progress: Callable[[], None]) -> None:
        """Record until cancelled; OperatorError, perhaps in a group, when a person must act."""
        self._last_error = None
        try:
            async with self._disk:
                await self._record(progress)
        except OperatorError as error:
            self._last_error = error.sentence
            raise
        finally:
            self._running = False

    async def _record(self, progress: Callable[[], None]) -> None:
        what = "levels" if self._order.levels_only else f"snapshots{' and ticks' * self._order.ticks}"
        _LOG.info("recording %s into %s", what, self._order.path)
        self._running = True
        left_ms = self._disk.left_at(("snapshots", day_of(self._now_ms)))
        if left_ms is not None:
            self._missed(Gap(of="snapshots", reason="the recorder did not run", since_ms=left_ms))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hear_snapshots(), name="recorder: snapshots")
                if self._order.ticks:
                    group.create_task(self._follow_ticks(), name="recorder: ticks")
                group.create_task(self._flush_regularly(progress), name="recorder: disk")
                if not self._order.levels_only:
                    group.create_task(self._report(), name="recorder: metrics")
        finally:
            if self._last_error is None:  # the disk takes what still waits
                await self._flush()

    @property
    def _now_ms(self) -> int:
        return epoch_ms(self._clock.now())

    async def _hear_snapshots(self) -> None:
        async def subscribed() -> None:
            if self._heard_ms is not None:
                self._missed(Gap(of="snapshots", reason="Redis was away", since_ms=self._heard_ms))
            self._heard_ms = self._now_ms

        payloads = messages(self._redis, keys.SNAPSHOT_STREAM, on_subscribed=subscribed)
        async with aclosing(payloads):
            async for payload in payloads:
                self._heard_ms = self._now_ms
                await self._take_snapshot(payload, self._heard_ms)

    async def _take_snapshot(self, payload: bytes, at_ms: int) -> None:
        with self._unusable.skipping(payload):
            snapshot = await self._intake.read(payload, received_ms=at_ms)
            if snapshot.replay is not None:
                self._replayed += 1
                return
            if self._order.tickers is not None and snapshot.ticker not in self._order.tickers:
                return
            if self._order.levels_only:
                if not self._is_news(snapshot):
                    return
                payload = encode_snapshot(levels_only(snapshot))
            if self._buffer.add("snapshots", day_of(snapshot.asof_ms), snapshot_line(at_ms, payload)):
                self._snapshots += 1

    def _is_news(self, snapshot: GexSnapshot) -> bool:
        if is_made_up(snapshot.source) or self._last_ms.get(snapshot.ticker) == snapshot.asof_ms:
            return False
        self._last_ms[snapshot.ticker] = snapshot.asof_ms
        return True

    async def remove(self, parts: Sequence[Part]) -> None:
        """Remove those files of past days that have not grown since they were looked at; raises as writing does."""
        await self._disk.remove(parts)

    async def _follow_ticks(self) -> None:
        follower = TickFollower(self._redis, self._disk.position())
        while True:
            if self._buffer.crowded:  # the stream keeps them meanwhile
                await asyncio.sleep(self._flush_s / 2)
                continue
            try:
                page = await follower.read()
            except TransientError as error:
                self._unread.add(f"{error} Recording of ticks goes on from there.")
                await asyncio.sleep(_RETRY_S)
                continue
            self._take_ticks(page)
            self._position = follower.position
            await asyncio.sleep(self._flush_s / 2 if not page.entries else 0)

    def _take_ticks(self, page: TickPage) -> None:
        at_ms = self._now_ms
        if page.gap is not None:
            self._missed(Gap(of="ticks", reason=page.gap, lost=page.lost))
        for entry_id, payload in page.entries:
            with self._unusable.skipping(payload):
                self._take_tick(entry_id, payload, at_ms)

    def _take_tick(self, entry_id: str, payload: bytes, at_ms: int) -> None:
        head = _tick_head(payload)
        if head.source == _REPLAYED:
            self._replayed += 1
        elif self._buffer.add("ticks", day_of(head.event_ms), tick_line(at_ms, entry_id, payload)):
            self._ticks += 1

    def _missed(self, gap: Gap) -> None:
        known = "" if gap.lost is None else f", {gap.lost} entries"
        _LOG.warning("the recording has a gap: %s (%s%s)", gap.of, gap.reason, known)
        self._buffer.add_gap(self._now_ms, day_of(self._now_ms), gap)

    async def _flush_regularly(self, progress: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(self._flush_s)
            if await self._flush():
                progress()

    async def _flush(self) -> bool:
        """Write what waits; whether there was something."""
        today = day_of(self._now_ms)
        batch, position = self._buffer.take(self._now_ms, today), self._position
        if not batch:
            return False
        try:
            await self._disk.write(batch, today=today, position=position)
        except OperatorError as error:
            self._last_error = error.sentence
            raise
        self._last_write_at = self._clock.now()
        return True

    async def _report(self) -> None:
        """Keep the telemetry hash current; telemetry never disturbs the recording."""
        reports = 0
        while True:
            status = self.status()
            if reports % _LOG_EVERY == _LOG_EVERY - 1:
                _LOG.info(
                    "recorded so far: %d snapshots, %d ticks, %d gaps", status.snapshots, status.ticks, status.gaps
                )
            reports += 1
            try:
                await write_metrics(self._redis, keys.RECORDER_METRICS, hash_fields(METRICS, status))
            except TransientError as error:
                _LOG.debug("Recorder metrics were not written: %s", error)
            await asyncio.sleep(_REPORT_EVERY_S)


MAX_BYTES: Final = 64 << 20


class LineBuffer:
    """Takes lines in order and hands them over all at once."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lines: dict[PartKey, list[bytes]] = {}
        self._size = 0
        self._overflow: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        self._days: dict[Kind, str] = {}
        self.gaps = 0
        self.lost = 0

    @property
    def crowded(self) -> bool:
        """Whether a source that can wait should."""
        return self._size > self._max_bytes // 2

    def add(self, kind: Kind, day: str, line: bytes) -> bool:
        """Keep a line; False when there is no room."""
        if self._size + len(line) > self._max_bytes:
            self._overflow[kind] += 1
            return False
        self._days[kind] = day
        self._lines.setdefault((kind, day), []).append(line)
        self._size += len(line)
        return True

    def add_gap(self, at_ms: int, day: str, gap: Gap) -> None:
        """Say that something is missing: in the part that the last line of that kind went to, or in that of `day`."""
        kind: Kind = "ticks" if gap.of == "ticks" else "snapshots"
        self.gaps += 1
        self.lost += gap.lost or 0
        self._lines.setdefault((kind, self._days.get(kind, day)), []).append(gap_line(at_ms, gap))

    def take(self, at_ms: int, day: str) -> dict[PartKey, list[bytes]]:
        """Everything kept since the last time, with a line for what did not fit."""
        for kind, count in self._overflow.items():
            if count:
                self.add_gap(at_ms, day, Gap(of=kind, reason="the disk was too slow", lost=count))
        self._overflow = dict.fromkeys(KINDS, 0)
        taken, self._lines, self._size = self._lines, {}, 0
        return taken
