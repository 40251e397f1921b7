"""The job that makes history: the day's levels onto the disk as they come, and closed days into Parquet.

Days are closed by a process of their own, which is polite and takes its memory along when it ends.
"""

import asyncio
import logging
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.metrics_store import MetricValue, hash_fields, keep_current, kept
from streaming.bus.snapshots.intake import SnapshotIntake
from streaming.calendar import NEW_YORK, new_york, session_on
from streaming.clock import Clock, date_of
from streaming.errors import TransientError
from streaming.history.grades import AFTER_CLOSE
from streaming.history.history_files import HistoryFiles
from streaming.ports import Progress, Tell
from streaming.process.child_process import ROOT, child_environment
from streaming.process.trouble import Matters
from streaming.recording.recorder import Recorder, RecordOrder
from streaming.recording.recording_files import Part, parts_in
from streaming.recording.writer import FolderTakenError
from streaming.status import HistoryStatus, KeeperState

_LOG: Final = logging.getLogger(__name__)
_DAY_OVER: Final = time(0, 15)
_LOOK_EVERY_S: Final = 60.0
_STANDBY_S: Final = 30.0
_CLOSED_WITHIN_S: Final = 3_600.0
_TRIES: Final = 3
"""Closings in a row that fail before a person is told."""
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOrder:
    """What is kept, and where."""

    path: Path
    max_mb: int
    tickers: Collection[str]
    recordings: Path | None = None
    """Where whole snapshots are recorded, whose ladders and profiles become curves."""


METRICS: Final = (
    kept("state", "failed: a person must act; standby: another process keeps the folder.", "state", labels=("state",)),
    kept("path", "The folder of the history."),
    kept("snapshots", "Snapshots whose levels were journaled since the process started.", "snapshots_total"),
    kept("gaps", "Times at which the journal missed something.", "gaps_total"),
    kept("lost", "Snapshots known to be missed.", "lost_total"),
    kept("journal_days", "Days in the journal that are not over or not closed.", "journal_days"),
    kept("journal_bytes", "Of the journal.", "journal_bytes"),
    kept("last_write_at", "When the journal was last forced to the disk."),
    kept("days", "Closed days of any ticker.", "days"),
    kept("last_day", "The newest closed day."),
    kept("last_error", "One sentence on what is wrong."),
)
"""The hash `metrics:gex_history`, read off a `HistoryStatus`."""


class DueDay(NamedTuple):
    """A day to be closed."""

    day: str
    is_over: bool
    """Nothing more can come: its journal goes when it is in Parquet."""


def due_days(sizes: Mapping[str, int], closed: Mapping[str, int], now: datetime) -> list[DueDay]:
    """Of the days in the journal those to be closed now, oldest first.

    A session half an hour after its close, where other than the `closed` bytes of it have come; every day when it is
    over.
    """
    local = new_york(now)
    due: list[DueDay] = []
    for day in sorted(sizes):
        found = date_of(day)
        if found is None:
            continue
        is_over = local >= datetime.combine(found + timedelta(days=1), _DAY_OVER, NEW_YORK)
        session = session_on(found)
        has_closed = session is not None and local >= session.close_at + AFTER_CLOSE
        if is_over or (has_closed and sizes[day] != closed.get(day)):
            due.append(DueDay(day, is_over))
    return due


CloseDay = Callable[[HistoryOrder, str], Awaitable[None]]
"""Closes a day; TransientError when it is to be tried again."""


class HistoryKeeper:
    """Runs until cancelled; stands by while another process keeps the same folder."""

    def __init__(
        self,
        redis: Redis,
        clock: Clock,
        order: HistoryOrder,
        *,
        tell: Tell,
        intake: SnapshotIntake | None = None,
        close_day: "CloseDay | None" = None,
    ) -> None:
        self._clock = clock
        self._order = order
        self._close_day = close_day or close_in_child
        self._journal = HistoryFiles(order.path).journal
        self.recorder = Recorder(
            redis,
            clock,
            RecordOrder(path=self._journal, max_mb=order.max_mb, tickers=order.tickers, levels_only=True),
            intake=intake,
        )
        self._matters = Matters(tell)
        self._closed: dict[str, int] = {}
        self._failed = 0
        self._redis = redis
        self._files = HistoryFiles(order.path)
        self._state: KeeperState = "stopped"
        self._trouble: str | None = None
        self._journal_sizes: Mapping[str, int] = {}
        self._days: Sequence[str] = ()

    def status(self) -> HistoryStatus:
        """What is known now, without I/O."""
        journal = self.recorder.status()
        return HistoryStatus(
            state="failed" if journal.state == "failed" and self._state != "standby" else self._state,
            path=str(self._order.path),
            snapshots=journal.snapshots,
            gaps=journal.gaps,
            lost=journal.lost,
            journal_days=len(self._journal_sizes),
            journal_bytes=sum(self._journal_sizes.values()),
            last_write_at=journal.last_write_at,
            days=len(self._days),
            last_day=self._days[-1] if self._days else None,
            last_error=None if self._state == "standby" else self._trouble or journal.last_error,
        )

    async def run(self, progress: Progress) -> None:
        """Keep and close; OperatorError, perhaps in a group, when a person must act."""
        try:
            while True:
                await self._keep(progress)
                self._state = "standby"
                await self._clock.sleep(_STANDBY_S)
        finally:
            self._state = "stopped"

    async def _keep(self, progress: Progress) -> None:
        """Until another process turns out to keep the folder."""
        self._state = "keeping"
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.recorder.run(progress), name="history: journal")
                group.create_task(self._close_days(progress), name="history: closing")
                told = keep_current(self._redis, keys.HISTORY_METRICS, self._metrics, self._clock)
                group.create_task(told, name="history: metrics")
        except* FolderTakenError as error:
            _LOG.info("%s The history stands by.", error.exceptions[0])

    def _metrics(self) -> Mapping[str, MetricValue]:
        return hash_fields(METRICS, self.status())

    async def _close_days(self, progress: Progress) -> None:
        while True:
            parts = await asyncio.to_thread(self._parts)
            self._journal_sizes, self._days = _sizes(parts), await asyncio.to_thread(self._files.days)
            await self._clock.sleep(_LOOK_EVERY_S)
            parts = await asyncio.to_thread(self._parts)
            for due in due_days(_sizes(parts), self._closed, self._clock.now()):
                await self._close(due, [part for part in parts if part.day == due.day])
                progress()

    def _parts(self) -> Sequence[Part]:
        try:
            return parts_in(self._journal)
        except FileNotFoundError:
            return ()  # the recorder beside this one makes it, or a day that is over was taken out meanwhile
        except OSError as error:
            raise TransientError(f"{self._journal} cannot be read: {error.strerror}.") from error

    async def _close(self, due: DueDay, parts: Sequence[Part]) -> None:
        try:
            await self._close_day(self._order, due.day)
        except TransientError as error:
            self._failed += 1
            self._trouble = f"{due.day} is not closed: {error}"
            _LOG.warning("the history of %s is not closed: %s", due.day, error)
            if self._failed >= _TRIES:
                self._matters.tell("closing", f"The history of {due.day} could not be written: {error}")
            return
        self._failed, self._trouble = 0, None
        self._matters.over("closing")
        self._closed = {day: size for day, size in self._closed.items() if day >= due.day} | _sizes(parts)
        _LOG.info("the history of %s is written", due.day)
        if due.is_over:
            await self.recorder.remove(parts)


def _sizes(parts: Sequence[Part]) -> dict[str, int]:
    return {day: sum(part.size for part in parts if part.day == day) for day in {part.day for part in parts}}


async def close_in_child(order: HistoryOrder, day: str) -> None:
    """Run `python -m streaming history close`; TransientError with its last line when it fails or takes an hour."""
    command = [sys.executable, "-m", "streaming", "history", "--path", str(order.path.resolve()), "close", day]
    command += ["--max-mb", str(order.max_mb)]
    if order.recordings is not None:
        command += ["--recordings", str(order.recordings.resolve())]
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, cwd=ROOT, env=child_environment()
        )
    except OSError as error:
        raise TransientError(f"The process that closes days cannot be started: {error.strerror}.") from error
    try:
        async with asyncio.timeout(_CLOSED_WITHIN_S):
            _, said = await process.communicate()
    except TimeoutError:
        raise TransientError("Closing the day took more than an hour.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines() or [f"status {process.returncode}"]
        raise TransientError(lines[-1][:_LONGEST])
