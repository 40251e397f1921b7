"""A feed that is stopped gives its boards to one that stands by."""

import asyncio
import itertools
import logging
import random
import time

import pytest

from bot.feed.feed_job import FeedRunner
from bot.feed.handover import Handover
from bot.settings import BotSettings
from bot.wire.crew import Crew
from streaming.bus.lease import Lease
from streaming.clock import SystemClock
from tests.support.feed import DictLedger, FakeChannel, QueueSnapshots, showing, snapshot, without_colours
from tests.support.memory_redis import MemoryRedis, MemoryStore
from tests.support.waiting import until

SETTINGS = BotSettings(_env_file=None, gex_feed_force_window=True, gex_feed_update_seconds=0.25)


class TimedChannel(FakeChannel):
    """Notes when it was written last, and what."""

    def __init__(self):
        super().__init__()
        self.written: list[tuple[float, str]] = []

    async def edit(self, message_id, content, *more):
        await super().edit(message_id, content, *more)
        self.written.append((time.monotonic(), without_colours(content)))


class Process:
    """One of two feeds of one bot, with what `bot.host` gives it."""

    def __init__(self, redis, name, channel, ledger):
        clock = SystemClock()
        self.crew = Crew(redis, "a token", clock, name=name)
        lease = Lease(redis, "lease:feed", name, pause=self.crew.pause)
        self.snapshots = QueueSnapshots()
        self.runner = FeedRunner(
            showing({1: "NQ_NDX"}),
            self.snapshots,
            lambda _: channel,
            ledger,
            SETTINGS,
            clock,
            rng=random.Random(1),
            lease=lease,
            handover=Handover(lease, clock, lambda: bool(self.crew.others), self.crew.stir),
        )
        self.lease = lease
        self.tasks = [asyncio.create_task(self.crew.run(lambda: None)), asyncio.create_task(self.runner.run())]
        self.news = asyncio.create_task(self._publish())

    async def _publish(self):
        clock = SystemClock()
        while True:
            self.snapshots.queue.put_nowait(snapshot(clock.now(), spot=20000 + clock.monotonic() % 500))
            await asyncio.sleep(0.05)

    async def stop(self):
        """As the supervisor does at SIGTERM."""
        for task in (*self.tasks, self.news):
            task.cancel()
        await asyncio.wait({*self.tasks, self.news})


@pytest.fixture
async def channel():
    return TimedChannel()


@pytest.fixture
async def start(redis, channel):
    ledger, started = DictLedger(), []

    def begin(name):
        started.append(Process(redis, name, channel, ledger))
        return started[-1]

    yield begin
    for process in started:
        await process.stop()


async def test_a_process_that_stands_by_goes_on_within_a_second_and_nobody_reads_that_the_feed_stops(start, channel):
    leader = start("a")
    await until(lambda: channel.written)
    standby = start("b")
    await until(lambda: leader.crew.others and standby.crew.others)
    began_s = time.monotonic()
    await leader.stop()
    stopped_s, written = time.monotonic() - began_s, len(channel.written)
    await until(lambda: len(channel.written) > written + 2)
    assert stopped_s < 1
    assert standby.runner.status().leading
    times = [began_s, *(at for at, _ in channel.written if at > began_s)]
    assert max(after - before for before, after in itertools.pairwise(times)) < 1
    assert not [text for _, text in channel.written if "stopped" in text]
    assert len(channel.messages) == 1


async def test_without_anybody_to_go_on_the_message_says_that_it_stops(start, channel):
    leader = start("a")
    await until(lambda: channel.written)
    await leader.stop()
    assert "stopped" in channel.written[-1][1]
    assert await leader.lease.holder() is None


async def test_one_that_stands_by_and_takes_nothing_is_not_believed(start, channel, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("bot.feed.handover._TAKEN_WITHIN_S", 0.05)
    leader = start("a")
    await until(lambda: channel.written)
    asleep = start("b")
    await until(lambda: leader.crew.others)
    asleep.tasks[1].cancel()
    await leader.stop()
    assert "stopped" in channel.written[-1][1]
    assert "lease:feed is not taken by another process" in caplog.text


async def test_a_leader_that_comes_too_late_for_one_answer_gives_its_boards_all_the_same(monkeypatch):
    monkeypatch.setattr("bot.feed.handover._ANSWER_S", 0.01)
    lease, asked = Lease(MemoryRedis(MemoryStore(random.Random(1)), lambda: False), "lease:feed", "a"), []

    async def late_at_first():
        asked.append(lease)
        if len(asked) == 1:
            await asyncio.Event().wait()
        return True

    async def stir():
        await Lease(lease._redis, "lease:feed", "b").acquire()

    monkeypatch.setattr(lease, "renew", late_at_first)
    await lease.acquire()
    assert await Handover(lease, SystemClock(), lambda: True, stir).given(lambda: True)
    assert await lease.holder() == "b"


async def test_while_redis_is_away_nothing_is_given_away_and_the_goodbye_is_said(start, channel):
    leader = start("a")
    await until(lambda: channel.written)
    leader.crew.members = [*leader.crew.members, leader.crew._own]
    leader.runner._handover._awaited = lambda: True

    async def away(**_named):
        raise ConnectionError("away")

    leader.lease._take = leader.lease._release = away
    await leader.stop()
    assert "stopped" in channel.written[-1][1]


async def test_a_board_that_is_paused_by_order_is_no_end_of_the_feed(start, channel, monkeypatch):
    monkeypatch.setattr("bot.feed.handover._TAKEN_WITHIN_S", 0.0)
    leader = start("a")
    await until(lambda: channel.written)
    leader.runner._handover._awaited = lambda: True
    assert await leader.runner._still_ours()
    assert await leader.lease.holder() == "a"
