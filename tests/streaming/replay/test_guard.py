import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from streaming.bus import keys
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import epoch_ms
from streaming.errors import RequestError
from streaming.model import ReplayMark
from streaming.replay.guard import ReplayGuard
from tests.support.clock import ManualClock
from tests.support.snapshots import snapshot
from tests.support.waiting import until


class Rig:
    def __init__(self, redis):
        self.clock = ManualClock()
        self.store = SnapshotStore(redis, clock=self.clock)
        self.guard = ReplayGuard(redis, self.store, self.clock, remedy="Add --force.")

    def made(self, age_s, **changes):
        at = self.clock.now() - timedelta(seconds=age_s)
        return replace(snapshot(asof=at), computed_ms=epoch_ms(at), **changes)


@pytest.fixture
def rig(redis):
    return Rig(redis)


async def test_an_empty_redis_is_free(rig):
    await rig.guard.look("SPX")


async def test_a_stream_that_runs_is_in_the_way(rig, redis):
    await redis.set(keys.STREAM_LEASE, "host:1")
    with pytest.raises(RequestError, match="host:1 streams live data") as caught:
        await rig.guard.look()
    assert caught.value.sentence.endswith("Add --force.")
    await ReplayGuard(redis, rig.store, rig.clock, remedy="", streams=False).look("SPX")


async def test_a_fresh_snapshot_of_the_ticker_is_in_the_way_and_an_old_one_is_not(rig):
    await rig.store.put(rig.made(29))
    with pytest.raises(RequestError, match="test publishes live snapshots of SPX"):
        await rig.guard.look("NDX", "SPX")
    await rig.guard.look("NDX")
    rig.clock.advance(2)
    await rig.guard.look("SPX")


async def test_what_a_stopped_stream_left_is_waited_for_and_how_long_is_said(rig):
    await rig.store.put(rig.made(12))
    said, began = [], rig.clock.monotonic()
    await rig.guard.make_room("SPX", say=said.append)
    assert said == ["The last snapshot of SPX by test is 12 s old. The replay begins in 18 s unless another one comes."]
    assert rig.clock.monotonic() - began == pytest.approx(18.0)


async def test_a_producer_that_goes_on_is_not_waited_for(rig):
    await rig.store.put(rig.made(12))

    async def another(_sentence):
        pytest.fail("nobody waits")

    async with rig.guard.listening():
        await asyncio.sleep(0.1)
        await rig.store.put(rig.made(0))
        await until(lambda: rig.guard._heard)
        with pytest.raises(RequestError, match="publishes live snapshots of SPX"):
            await rig.guard.make_room("SPX", say=another)


async def test_a_producer_that_still_computes_from_old_quotes_is_live(rig):
    await rig.store.put(replace(rig.made(900), computed_ms=epoch_ms(rig.clock.now()), delayed=True))
    with pytest.raises(RequestError):
        await rig.guard.look("SPX")


async def test_another_programs_old_snapshot_without_a_time_of_computing_is_not_live(rig, redis):
    old = epoch_ms(rig.clock.now()) // 1000 - 3600
    await redis.set(keys.snapshot("SPX"), b'{"ticker":"SPX","spot":1.5,"net_gex":2,"timestamp":%d}' % old)
    await rig.guard.look("SPX")


async def test_a_replays_own_snapshots_are_not_in_its_way(rig):
    mark = ReplayMark(of="schwab", speed=1, sent_ms=epoch_ms(rig.clock.now()))
    await rig.store.put(rig.made(0, replay=mark))
    await rig.guard.look("SPX")


async def listeners(redis):
    async with asyncio.timeout(5):
        while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
            await asyncio.sleep(0.005)


async def test_a_producer_that_publishes_rarely_is_heard_though_the_replay_overwrote_what_it_stored(rig, redis):
    mark = ReplayMark(of="schwab", speed=1, sent_ms=epoch_ms(rig.clock.now()))
    async with rig.guard.listening():
        await listeners(redis)
        await redis.publish(keys.SNAPSHOT_STREAM, b"nonsense")
        await redis.publish(keys.SNAPSHOT_STREAM, b'{"data": {"ticker": "SPX", "spot": 1.5, "net_gex": 2}}')
        await rig.store.put(rig.made(0, replay=mark))
        await until(lambda: rig.guard._heard)
        with pytest.raises(RequestError, match="redis publishes live snapshots of SPX"):
            await rig.guard.look("SPX")
        await rig.guard.look("NDX")


async def test_a_replay_does_not_hear_itself(rig, redis):
    mark = ReplayMark(of="schwab", speed=1, sent_ms=epoch_ms(rig.clock.now()))
    async with rig.guard.listening():
        await listeners(redis)
        for _ in range(3):
            await rig.store.put(rig.made(0, replay=mark))
        await rig.store.put(replace(rig.made(0), ticker="NDX"))
        await until(lambda: rig.guard._heard)
        await rig.guard.look("SPX")
