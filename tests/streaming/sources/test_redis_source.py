"""streaming/sources/redis_source.py"""

import asyncio
import json

from streaming.bus import keys
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.sources.redis_source import RedisSource
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.snapshots import ASOF, snapshot
from tests.support.source_rigs import running
from tests.support.waiting import until


def source(redis, clock=None):
    clock = clock or ManualClock(ASOF)
    return RedisSource((parse_ticker("SPX"),), store=SnapshotStore(redis, clock=clock), clock=clock)


async def listening(redis):
    async with asyncio.timeout(5):
        while not dict(await redis.pubsub_numsub(keys.SNAPSHOT_STREAM)).get(keys.SNAPSHOT_STREAM.encode()):
            await asyncio.sleep(0.01)


async def test_only_its_own_tickers_are_counted(redis):
    watching, store = source(redis), SnapshotStore(redis)
    async with running(watching):
        await listening(redis)
        await store.put(snapshot("NDX"))
        await store.put(snapshot("SPX"))
        await until(lambda: watching.status().snapshots)
        assert watching.status().snapshots == 1
        assert watching.status().quote_at == ASOF


async def test_what_it_rejects_is_counted_and_named(redis):
    watching = source(redis)
    async with running(watching):
        await listening(redis)
        await redis.publish(keys.SNAPSHOT_STREAM, json.dumps({"ticker": "SPX", "spot": 6400}))
        await until(lambda: watching.status().rejected)
        assert watching.status().last_error == "The snapshot of SPX has no figures except spot."
        assert watching.status().state == "waiting"


async def test_a_producer_that_falls_silent_is_waited_for(redis):
    clock = ManualClock(ASOF)
    watching = source(redis, clock)
    async with running(watching):
        await listening(redis)
        await SnapshotStore(redis).put(snapshot("SPX"))
        await until(lambda: watching.status().state == "live")
        clock.advance(61)
        assert watching.status().state == "waiting"
        assert watching.status().snapshots == 1
