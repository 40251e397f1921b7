"""Recorded snapshots and ticks played through the sinks that live ones go through, marked as a replay."""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from streaming.bus.snapshots.replays import THIS_PROGRAM
from streaming.clock import Clock, epoch_ms, instant_of
from streaming.errors import RequestError, TransientError
from streaming.model import GexSnapshot, ReplayMark, TickEvent
from streaming.ports import EventSink, SnapshotSink
from streaming.replay.guard import NAME, ReplayGuard
from streaming.replay.recorded import RecordedTape, TapeItem
from streaming.status import SourceState, SourceStatus

_LOG: Final = logging.getLogger(__name__)
LONGEST_PAUSE_S: Final = 10.0
"""Of real time at most, wherever the recording has a hole."""
_BEAT_S: Final = 1.0
_SLICE_S: Final = 0.1
_RETRY_S: Final = 1.0
_GUARD_EVERY_S: Final = 5.0
_BEHIND_S: Final = 1.0


class SnapshotReplay:
    """A `SnapshotSource` that plays `tape` at `speed` times its own pace; speed 0 plays without pauses.

    `loop` begins again at the end; `hold` keeps the last snapshots on display there instead of ending. While
    it is paused or held they are sent every second, marked as standing (speed 0).
    """

    name = NAME

    def __init__(
        self,
        tape: RecordedTape,
        snapshots: SnapshotSink,
        events: EventSink | None,
        clock: Clock,
        *,
        speed: float = 1.0,
        loop: bool = False,
        hold: bool = False,
        tickers: Sequence[str] = (),
        guard: ReplayGuard | None = None,
        say: Callable[[str], None] = _LOG.info,
        by: str = THIS_PROGRAM,
    ) -> None:
        """`by` is the name under which the caller holds the replay lease, if it does."""
        self._tape = tape
        self._snapshots = snapshots
        self._events = events
        self._clock = clock
        self._speed = speed
        self._loop = loop
        self._hold = hold
        self._tickers = tuple(tickers)
        self._guard = guard
        self._say = say
        self._by = by
        self._last: dict[str, GexSnapshot] = {}
        self._state: SourceState = "stopped"
        self._previous_ms: int | None = None
        self._due_s = 0.0
        self._guarded_s = 0.0
        self._last_at: datetime | None = None
        self._errors = 0
        self._last_error: str | None = None
        self.paused = False
        self.played = 0
        """Snapshots."""
        self.ticks = 0
        self.market_ms: int | None = None
        """How far it is: the quote time of what was played last."""

    def toggle(self) -> None:
        """Pause, or go on."""
        self.paused = not self.paused

    def status(self) -> SourceStatus:
        """One look at it; "waiting" while it stands."""
        return SourceStatus(
            name=NAME,
            tickers=self._tickers or tuple(self._last),
            state="waiting" if self.paused and self._state == "live" else self._state,
            last_snapshot_at=self._last_at,
            quote_at=None if self.market_ms is None else instant_of(self.market_ms),
            snapshots=self.played,
            rejected=self._tape.counts.unusable,
            errors=self._errors,
            last_error=self._last_error,
        )

    async def run(self, progress: Callable[[], None]) -> None:
        """Play to the end, or until cancelled with `loop` or `hold`.

        RequestError when there is nothing to play, or when a live producer writes the same keys.
        """
        self._state = "waiting"
        try:
            async with nullcontext() if self._guard is None else self._guard.listening():
                await self._play_on(progress)
        finally:
            self._state = "stopped"

    async def _play_on(self, progress: Callable[[], None]) -> None:
        while await self._play_through(progress) and self._loop:
            _LOG.info("the replay of %s begins again", self._tape.name)
        await self._stand()
        self._state = "waiting"
        while self._hold:
            await self._clock.sleep(_BEAT_S)
            await self._stand()

    async def _play_through(self, progress: Callable[[], None]) -> bool:
        if self._guard is not None:
            await self._guard.make_room(*self._tickers, say=self._say)
        self._previous_ms, self._due_s = None, self._clock.monotonic()
        any_item = False
        async for item in self._tape.items():
            any_item = True
            await self._wait_for(item)
            await self._play(item)
            progress()
        if not any_item:
            raise RequestError(
                f"There is nothing to play in {self._tape.name}.", remedy="Choose other tickers or an earlier start."
            )
        return True

    async def _wait_for(self, item: TapeItem) -> None:
        """Let as much time pass as the recording did, divided by the speed; a pause adds to it."""
        gap_s = 0.0 if self._previous_ms is None else max(item.at_ms - self._previous_ms, 0) / 1000
        self._previous_ms = max(self._previous_ms or 0, item.at_ms)
        now_s = self._clock.monotonic()
        if self._speed > 0:
            self._due_s = max(self._due_s, now_s - _BEHIND_S) + min(gap_s / self._speed, LONGEST_PAUSE_S)
        else:
            self._due_s = now_s
        while self.paused or (left_s := self._due_s - self._clock.monotonic()) > 0:
            if self.paused:
                self._due_s += await self._rest()
            else:
                await self._clock.sleep(min(left_s, _SLICE_S))

    async def _rest(self) -> float:
        """Stay where it is for up to one beat, or until it goes on; how long that took."""
        began_s = self._clock.monotonic()
        await self._stand()
        while self.paused and self._clock.monotonic() - began_s < _BEAT_S:
            await self._clock.sleep(_SLICE_S)
        return self._clock.monotonic() - began_s

    async def _play(self, item: TapeItem) -> None:
        content = item.content
        self.market_ms = item.market_ms
        if isinstance(content, TickEvent):
            if self._events is not None:
                self._events.publish([replace(content, source=NAME)])
            self.ticks += 1
            return
        of = content.source if content.replay is None else content.replay.of
        await self._look_around(content.ticker)
        played = await self._send(content, of, self._speed)
        self._last[played.ticker] = played
        self.played += 1
        self._state = "live"

    async def _stand(self) -> None:
        """Send the last snapshot of each ticker again, marked as standing."""
        for ticker, snapshot in self._last.items():
            assert snapshot.replay is not None  # noqa: S101  # only what was played is kept
            await self._look_around(ticker)
            await self._send(snapshot, snapshot.replay.of, 0.0)

    async def _send(self, snapshot: GexSnapshot, of: str, speed: float) -> GexSnapshot:
        """Store it, as often as it takes while Redis is away; what was stored."""
        while True:
            mark = ReplayMark(of=of, speed=speed, sent_ms=epoch_ms(self._clock.now()), by=self._by)
            marked = replace(snapshot, source=NAME, replay=mark)
            try:
                await self._snapshots.put(marked)
            except TransientError as error:
                await self._stumble(error)
            else:
                self._last_at = self._clock.now()
                return marked

    async def _stumble(self, error: TransientError) -> None:
        self._errors += 1
        self._last_error, self._state = error.sentence, "failing"
        _LOG.warning("%s The replay waits.", error)
        await self._clock.sleep(_RETRY_S)

    async def _look_around(self, ticker: str) -> None:
        """Before a ticker's first snapshot, and every few seconds after that, look for a live producer."""
        now_s = self._clock.monotonic()
        if self._guard is None or (ticker in self._last and now_s - self._guarded_s < _GUARD_EVERY_S):
            return
        self._guarded_s = now_s
        try:
            if ticker in self._last:
                await self._guard.look(*self._last)
            else:
                await self._guard.make_room(ticker, say=self._say)
        except TransientError as error:
            await self._stumble(error)
