"""Processes on one Redis: one message for one crossing, whoever dies when."""

import asyncio
import random
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.alerts.alert_job import AlertRunner
from bot.alerts.post import UnreachableError
from bot.alerts.rule_store import AlertStore
from bot.alerts.rules import AlertKind, Target
from streaming.bus.redis_connection import open_redis
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import ShiftedClock, epoch_ms
from streaming.errors import OperatorError, RequestError, TransientError
from tests.support.alerts import FakePost, rule, shot
from tests.support.redis_server import plain_redis
from tests.support.snapshots import ASOF
from tests.support.wire import until


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """The same order of things in a tenth of the time."""
    monkeypatch.setattr("bot.alerts.rule_store._GATHER_MS", 30)
    monkeypatch.setattr("bot.alerts.rule_store._SPACING_MS", 30)
    monkeypatch.setattr("bot.alerts.rule_store.LEASE_S", 0.4)
    monkeypatch.setattr("bot.alerts.alert_job.LOOK_S", 0.05)
    monkeypatch.setattr("bot.alerts.alert_job.SAVE_S", 0.1)
    monkeypatch.setattr("bot.alerts.alert_delivery._POLL_S", 0.05)


class Rig:
    """A market on Redis and any number of processes that watch it."""

    def __init__(self, redis) -> None:
        self.redis = redis
        self.clock = ShiftedClock(ASOF)
        self.snapshots = SnapshotStore(redis, clock=self.clock)
        self.store = AlertStore(redis)
        self.post = FakePost()
        self.told: list[str] = []
        self.seq = 0

    async def spot(self, spot: float, **changes) -> None:
        """Publish a snapshot as of now."""
        self.seq += 1
        asof_ms = epoch_ms(self.clock.now())
        await self.snapshots.put(shot(spot=spot, seq=self.seq, **changes, asof_ms=asof_ms))
        await asyncio.sleep(0.03)

    def tell(self, sentence: str) -> None:
        self.told.append(sentence)

    def process(self, post: FakePost | None = None, redis=None) -> AlertRunner:
        redis = redis or self.redis
        return AlertRunner(
            SnapshotStore(redis, clock=self.clock),
            AlertStore(redis),
            post or self.post,
            self.clock,
            tell=self.tell,
            rng=random.Random(1),
        )

    @asynccontextmanager
    async def running(self, *runners: AlertRunner):
        tasks = [asyncio.create_task(runner.run(lambda: None)) for runner in runners]
        await until(lambda: all(runner.stored is not None for runner in runners))
        await asyncio.sleep(0.1)
        try:
            yield tasks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def rig(redis) -> Rig:
    return Rig(redis)


async def settled(seconds=0.5):
    """Long enough for a second message to show up, if there were one."""
    await asyncio.sleep(seconds)


async def test_a_crossing_is_told_once(rig):
    await rig.store.add(rule(), most=5)
    runner = rig.process()
    async with rig.running(runner):
        for spot in (6395, 6405, 6406):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages))
        await settled()
    assert len(rig.post.texts) == 1
    assert rig.post.texts[0].startswith("▲ **SPX** crossed above zero gamma 6400.00\nspot 6405.00 · <t:")
    assert (runner.counters.fired, runner.counters.delivered, runner.counters.messages) == (1, 1, 1)


async def test_two_bots_tell_it_once_between_them(rig, redis_url):
    for _ in range(3):
        await rig.store.add(rule(target=Target(channel_id=5)), most=5)
    async with open_redis(redis_url) as other:
        runners = rig.process(), rig.process(redis=other)
        async with rig.running(*runners):
            for spot in (6395, 6405, 6406, 6407):
                await rig.spot(spot)
            await until(lambda: bool(rig.post.messages))
            await settled()
    assert sum(text.count("crossed above") for text in rig.post.texts) == 3
    assert sum(runner.counters.fired for runner in runners) == 3
    assert sum(runner.counters.lost_races for runner in runners) <= 3


async def test_a_bot_that_dies_between_claim_and_send_is_stood_in_for(rig):
    await rig.store.add(rule(), most=5)
    dying, heir = FakePost(), FakePost()
    dying.hang_before = True
    async with rig.running(rig.process(dying)) as (task,):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: dying.calls == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert dying.texts == []
    async with rig.running(rig.process(heir)):
        await until(lambda: bool(heir.messages), within_s=3)
        await settled()
    assert len(heir.texts) == 1


async def test_a_bot_that_dies_between_sending_and_noting_it_causes_no_second_message(rig):
    await rig.store.add(rule(), most=5)
    rig.post.hang_after = True
    async with rig.running(rig.process()) as (task,):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: rig.post.calls == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    rig.post.hang_after = False
    async with rig.running(rig.process()):
        await until(lambda: rig.post.calls == 2, within_s=3)
        await settled()
    assert len(rig.post.texts) == 1, "the nonce is the same"
    assert rig.post.calls == 2


async def test_a_crossing_during_a_restart_is_found(rig):
    await rig.store.add(rule(), most=5)
    async with rig.running(rig.process()):
        await rig.spot(6395)
        await settled(0.1)
    async with rig.running(rig.process()):
        await rig.spot(6405)
        await until(lambda: bool(rig.post.messages))
    assert "crossed above" in rig.post.texts[0]


async def test_the_last_side_is_kept_at_the_end_of_a_process(rig, monkeypatch):
    monkeypatch.setattr("bot.alerts.alert_job.SAVE_S", 3600)
    await rig.store.add(rule(), most=5)
    async with rig.running(rig.process()):
        await rig.spot(6395)
        assert (await rig.store.load()).states == {}
    assert (await rig.store.load()).states[1].told == -1


async def test_a_cool_down_survives_a_restart(rig):
    await rig.store.add(rule(), most=5)
    async with rig.running(rig.process()):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages))
    async with rig.running(rig.process()):
        for spot in (6395, 6405, 6395):
            await rig.spot(spot)
        await settled()
    assert len(rig.post.texts) == 1


async def test_without_redis_nothing_is_sent_and_it_is_caught_up_after(tmp_path):
    with plain_redis(tmp_path) as (url, server):
        port = int(url.rpartition(":")[2].partition("/")[0])
        async with open_redis(url) as redis:
            rig = Rig(redis)
            await rig.store.add(rule(), most=5)
            runner = rig.process()
            async with rig.running(runner):
                await rig.spot(6395)
                await settled(0.3)
                await redis.bgsave()
                await settled(0.3)
                server.kill()
                server.wait()
                runner._note(runner.watcher.take(moved(rig, 6405), rig.clock.now()))
                await until(lambda: runner.counters.waiting_for_claim == 1)
                assert rig.post.calls == 0
                with plain_redis(tmp_path, port):
                    await until(lambda: bool(rig.post.messages), within_s=10)
                    await settled()
                    assert len(rig.post.texts) == 1
            assert runner.counters.redis_failures > 0
            assert (runner.counters.waiting_for_claim, runner.counters.fired) == (0, 1)


def moved(rig, spot):
    return shot(spot=spot, seq=99, asof_ms=epoch_ms(rig.clock.now() + timedelta(milliseconds=10)))


async def test_alerts_of_the_same_moment_share_a_message(rig):
    for value in (6399.0, 6401.0, 6402.0):
        await rig.store.add(rule(AlertKind.PRICE, value=value, target=Target(channel_id=5)), most=5)
    await rig.store.add(rule(), most=5)
    async with rig.running(rig.process()):
        for spot in (6390, 6410):
            await rig.spot(spot)
        await until(lambda: len(rig.post.messages) == 2)
        await settled()
    channel, person = sorted(rig.post.messages.values())
    assert channel[0] == "channel:5"
    assert channel[1].count("crossed above") == 3
    assert person[0] == "dm:7"


async def test_a_rule_added_while_it_runs_is_watched_and_a_removed_one_is_not(rig):
    async with rig.running(rig.process()):
        kept = await rig.store.add(rule(), most=5)
        await settled(0.15)
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages))
        await rig.store.remove(kept)
        gone = await rig.store.add(rule(), most=5)
        await rig.store.remove(gone)
        await settled(0.15)
        for spot in (6395, 6405):
            await rig.spot(spot)
        await settled()
    assert len(rig.post.texts) == 1


async def test_a_target_that_cannot_be_reached_pauses_its_rules_and_operators_hear_of_channels(rig):
    await rig.store.add(rule(target=Target(channel_id=5)), most=5)
    rig.post.faults = [UnreachableError("I may not write in the channel")]
    runner = rig.process()
    async with rig.running(runner):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.told))
        await until(lambda: runner.counters.rules == 0)
    assert rig.told[0].startswith("Alerts for channel 5 are paused: I may not write in the channel.")
    assert (await rig.store.load()).paused == {"channel:5": "I may not write in the channel"}
    assert rig.post.texts == []
    assert runner.counters.paused == 1


async def test_closed_direct_messages_pause_quietly(rig):
    await rig.store.add(rule(), most=5)
    rig.post.faults = [UnreachableError("your direct messages are closed to me")]
    runner = rig.process()
    async with rig.running(runner):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: runner.counters.rules == 0)
    assert rig.told == []
    assert "dm:7" in (await rig.store.load()).paused


async def test_a_refused_token_on_one_alert_does_not_end_the_job(rig, monkeypatch):
    monkeypatch.setattr("bot.alerts.alert_delivery._PERSON_S", (0.05, 0.1))
    await rig.store.add(rule(), most=5)
    rig.post.faults = [OperatorError("Discord refuses the bot's token.")]
    async with rig.running(rig.process()):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages))
    assert rig.told[0] == "Alerts are waiting: Discord refuses the bot's token."


async def test_trouble_that_passes_delays_a_message_and_loses_none(rig):
    await rig.store.add(rule(), most=5)
    rig.post.faults = [TransientError("Discord answered 503."), TransientError("Slow down.", retry_after_s=0.1)]
    runner = rig.process()
    async with rig.running(runner):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages), within_s=6)
    assert runner.counters.retries == 2
    assert len(rig.post.texts) == 1


async def test_a_message_that_discord_will_never_take_is_counted_and_the_next_one_goes(rig):
    await rig.store.add(rule(cooldown_min=1), most=5)
    await rig.store.add(rule(AlertKind.PRICE, value=6420.0), most=5)
    rig.post.faults = [RequestError("Discord refuses an alert.")]
    runner = rig.process()
    async with rig.running(runner):
        for spot in (6395, 6405):
            await rig.spot(spot)
        await until(lambda: runner.counters.refused == 1)
        await rig.spot(6430)
        await until(lambda: bool(rig.post.messages))
    assert "above 6420\n" in rig.post.texts[0]


async def test_a_snapshot_that_breaks_the_alerts_own_code_costs_itself(rig, monkeypatch):
    await rig.store.add(rule(), most=5)
    runner = rig.process()
    portions = runner.watcher.portions

    def brittle(one, now):
        if one.spot == 6399.0:
            raise ZeroDivisionError("a bug of ours")
        return portions(one, now)

    monkeypatch.setattr(runner.watcher, "portions", brittle)
    async with rig.running(runner) as tasks:
        for spot in (6395, 6399.0, 6405):
            await rig.spot(spot)
        await until(lambda: bool(rig.post.messages))
        assert not any(task.done() for task in tasks)
