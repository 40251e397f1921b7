"""The feed of one process: the whole of it as leader or standby, or the parts that are its own among several."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from bot.feed.feed_job import FeedRunner
from bot.feed.feed_metrics import FeedStatus
from bot.feed.part import WHOLE, FeedPart
from streaming.bus.lease import Lease
from streaming.bus.portions import Portions
from streaming.clock import Clock

_TRIM_EVERY_S: Final = 0.5


class FeedParts:
    """Runs the boards; how many parts they are in is known when it runs."""

    def __init__(self, make: Callable[[FeedPart, Lease], FeedRunner], whole: Lease, clock: Clock) -> None:
        """`make` is given a part and the lease of it; `whole` is that of all there is."""
        self._make = make
        self._clock = clock
        self._runners: Sequence[FeedRunner] = (make(WHOLE, whole),)

    @property
    def own(self) -> Sequence[int]:
        """The parts that are written here now."""
        return [number for number, runner in enumerate(self._runners) if runner.status().leading]

    def status(self) -> FeedStatus:
        """Every board of this process and its listeners, now."""
        each = [runner.status() for runner in self._runners]
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

    def place_changed(self, channel_id: int | None) -> None:
        """A channel changed, or (None) anything may have."""
        for runner in self._runners:
            runner.place_changed(channel_id)

    async def run(self, portions: Portions | None = None) -> None:
        """Write the boards whose lease is ours until cancelled: the whole, or each of these parts."""
        if portions is None:
            await self._runners[0].run()
            return
        count = len(portions.leases)
        self._runners = [self._make(FeedPart(number, count), lease) for number, lease in enumerate(portions.leases)]
        async with asyncio.TaskGroup() as group:
            for number, runner in enumerate(self._runners):
                group.create_task(runner.run(), name=f"feed: part {number}")
            while True:
                portions.trim(self._clock.monotonic())
                await self._clock.sleep(_TRIM_EVERY_S)
