"""The feed of one process: the whole of it as leader or standby, or the parts that are its own among several."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bot.feed.board_notes import BoardNotes
from bot.feed.feed_job import FeedRunner
from bot.feed.feed_metrics import FeedStatus
from bot.feed.part import WHOLE, FeedPart
from streaming.bus.lease import Lease
from streaming.bus.portions import Portions
from streaming.clock import Clock
from streaming.errors import TransientError

_LOG: Final = logging.getLogger(__name__)
_TRIM_EVERY_S: Final = 0.5
_TELL_EVERY_S: Final = 2.0


class FeedParts:
    """Runs the boards; how many parts they are in is known when it runs."""

    def __init__(
        self, make: Callable[[FeedPart, Lease], FeedRunner], whole: Lease, clock: Clock, notes: BoardNotes | None = None
    ) -> None:
        """`make` is given a part and the lease of it; `whole` is that of all there is. By `notes` processes tell one
        another what their boards do.
        """
        self._make = make
        self._whole = whole
        self._clock = clock
        self._notes = notes
        self._parts: Sequence[FeedPart] = (WHOLE,)
        self._runners: Sequence[FeedRunner] = (make(WHOLE, whole),)
        self._others: Mapping[int, FeedStatus] = {}

    @property
    def own(self) -> Sequence[int]:
        """The parts that are written here now."""
        return [number for number, runner in enumerate(self._runners) if runner.leading]

    @property
    def boards(self) -> int:
        """How many are kept here."""
        return sum(runner.boards for runner in self._runners)

    def status(self) -> FeedStatus:
        """Every board of this process and its listeners, now."""
        return _together([runner.status() for runner in self._runners])

    def everywhere(self) -> FeedStatus:
        """The same of all processes of the bot; others' boards as they were a few seconds ago."""
        own = set(self.own)
        told = [status for number, status in self._others.items() if number not in own]
        return _together([*(runner.status() for runner in self._runners), *told])

    def place_changed(self, channel_id: int | None) -> None:
        """A channel changed, or (None) anything may have."""
        for runner in self._runners:
            runner.place_changed(channel_id)

    async def run(self, portions: Portions | None = None) -> None:
        """Write the boards whose lease is ours until cancelled: the whole, or each of these parts."""
        if portions is not None:
            await self._until_nobody_has_all()
            count = len(portions.leases)
            self._parts = [FeedPart(number, count) for number in range(count)]
            self._runners = [self._make(part, lease) for part, lease in zip(self._parts, portions.leases, strict=True)]
        async with asyncio.TaskGroup() as group:
            for part, runner in zip(self._parts, self._runners, strict=True):
                group.create_task(runner.run(), name=f"feed: part {part.number}")
            if self._notes is not None:
                group.create_task(self._talk(self._notes), name="feed: notes")
            while portions is not None:
                portions.trim(self._clock.monotonic())
                await self._clock.sleep(_TRIM_EVERY_S)

    async def _until_nobody_has_all(self) -> None:
        """A process of another version, or from when the bot was one shard, may still write the whole."""
        said = False
        while True:
            try:
                if (holder := await self._whole.holder()) is None:
                    return
                _LOG.log(logging.DEBUG if said else logging.WARNING, "%s still writes every live message", holder)
                said = True
            except TransientError as error:
                _LOG.debug("Who writes the live messages is not known: %s", error.sentence)
            await self._clock.sleep(_TRIM_EVERY_S)

    async def _talk(self, notes: BoardNotes) -> None:
        """Tell what our boards do and hear of the others; nothing of it disturbs the boards."""
        while True:
            own = set(self.own)
            try:
                for number in sorted(own):
                    await notes.tell(self._parts[number], self._runners[number].status())
                self._others = await notes.told(part for part in self._parts if part.number not in own)
            except TransientError as error:
                _LOG.debug("What boards do is not told: %s", error.sentence)
            await self._clock.sleep(_TELL_EVERY_S)


def _together(each: Sequence[FeedStatus]) -> FeedStatus:
    leading = [status for status in each if status.leading]
    instants = [status.last_snapshot_at for status in each if status.last_snapshot_at is not None]
    return FeedStatus(
        boards=tuple(board for status in each for board in status.boards),
        leading=bool(leading),
        listening=bool(leading) and all(status.listening for status in leading),
        snapshots=sum(status.snapshots for status in each),
        last_snapshot_at=max(instants, default=None),
        restarts=sum(status.restarts for status in each),
    )
