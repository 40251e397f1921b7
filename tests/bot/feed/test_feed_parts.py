"""The whole feed of a process, or the parts of it that are its own."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bot.feed.feed_metrics import FeedStatus
from bot.feed.feed_parts import FeedParts
from bot.feed.part import WHOLE, FeedPart
from streaming.bus.lease import Lease
from streaming.bus.portions import Portions
from streaming.clock import SystemClock
from tests.support.feed import OPEN_AT
from tests.support.waiting import until


class Runner:
    """Leads while it holds its lease, as a `FeedRunner` does."""

    def __init__(self, part, lease):
        self.part = part
        self.lease = lease
        self.state = FeedStatus(snapshots=part.number + 1, last_snapshot_at=OPEN_AT + timedelta(seconds=part.number))
        self.changed = []

    @property
    def leading(self):
        return self.state.leading

    def status(self):
        return self.state

    def place_changed(self, channel_id):
        self.changed.append(channel_id)

    async def run(self):
        async with self.lease.held(wait=True):
            self.state = replace(self.state, leading=True, listening=self.part.number != 2)
            await asyncio.Event().wait()


class Rig:
    def __init__(self, redis, *, parts=3, most=3, notes=None):
        self.runners = []
        self.feed = FeedParts(self._make, Lease(redis, "lease:whole", "a"), SystemClock(), notes)
        self.portions = Portions(redis, "a", [f"lease:{number}/{parts}" for number in range(parts)], lambda: most)

    def _make(self, part, lease):
        self.runners.append(Runner(part, lease))
        return self.runners[-1]


async def test_a_bot_of_one_shard_has_one_feed(redis):
    rig = Rig(redis)
    running = asyncio.create_task(rig.feed.run())
    await until(lambda: rig.feed.own == [0])
    assert [runner.part for runner in rig.runners] == [WHOLE]
    running.cancel()
    await asyncio.wait({running})


async def test_of_several_parts_those_are_written_that_are_ours_and_told_as_one(redis):
    rig = Rig(redis, most=2)
    running = asyncio.create_task(rig.feed.run(rig.portions))
    await until(lambda: len(rig.feed.own) == 2)
    assert [runner.part for runner in rig.runners[1:]] == [FeedPart(number, 3) for number in range(3)]
    status = rig.feed.status()
    assert (status.leading, status.snapshots) == (True, 6)
    assert status.last_snapshot_at == OPEN_AT + timedelta(seconds=2)
    assert status.listening == (2 not in rig.feed.own)
    rig.feed.place_changed(7)
    assert [runner.changed for runner in rig.runners[1:]] == [[7]] * 3
    running.cancel()
    await asyncio.wait({running})


async def test_parts_wait_for_a_process_that_still_writes_the_whole(redis):
    before = Lease(redis, "lease:whole", "an older version")
    await before.acquire()
    rig = Rig(redis)
    running = asyncio.create_task(rig.feed.run(rig.portions))
    await asyncio.sleep(0.05)
    assert rig.feed.own == []
    await before.release()
    await until(lambda: rig.feed.own == [0, 1, 2])
    running.cancel()
    await asyncio.wait({running})


class Told:
    """`BoardNotes` that has heard of one board of every part."""

    def __init__(self):
        self.said = {}

    async def tell(self, part, status):
        self.said[part.number] = status

    async def told(self, parts):
        await asyncio.sleep(0)
        return {part.number: FeedStatus(boards=(part.number,), leading=True) for part in parts}


async def test_boards_of_other_processes_are_known_everywhere_and_our_own_are_not_there_twice(redis):
    notes = Told()
    rig = Rig(redis, most=2, notes=notes)
    running = asyncio.create_task(rig.feed.run(rig.portions))
    await until(lambda: rig.feed.everywhere().boards)
    await until(lambda: len(rig.feed.own) == 2)
    (other,) = {0, 1, 2} - set(rig.feed.own)
    assert rig.feed.everywhere().boards == (other,)
    assert rig.feed.status().boards == ()
    running.cancel()
    await asyncio.wait({running})
