"""A session of the simulated market, recorded once and replayed through Redis and the real feed."""

import asyncio
import random
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from bot.feed.feed_job import FeedRunner
from bot.settings import BotSettings
from streaming.bus import keys
from streaming.bus.codec import decode_snapshot
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import open_redis
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.calendar import NEW_YORK
from streaming.chains.schwab import parse_chain
from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.model import GexSnapshot
from streaming.recording.recorder import Recorder, RecordOrder
from streaming.recording.recording_files import parts_of
from streaming.replay.player import SnapshotReplay
from streaming.replay.recorded import EVERYTHING, recorded_tape
from streaming.sim.rest.chain_payload import ChainPayloads
from streaming.sim.rest.chain_query import ChainQuery
from streaming.sim.world.market import Market
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.events import tick
from tests.support.feed import DictLedger, FakeChannel, showing, without_colours
from tests.support.virtual_clock import VirtualClock
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]
BEGIN = datetime(2026, 8, 20, 10, 3, 30, tzinfo=NEW_YORK)
SECONDS = 120
SPEED = 10.0
SPX = parse_ticker("SPX")


async def record_session(redis, folder):
    """Two minutes of the simulated market, one snapshot and one tick a second."""
    clock, market, engine = (
        ManualClock(BEGIN),
        Market.generate(("SPX",), start_at=BEGIN, seed=11),
        GexEngine(SPX, scope="full"),
    )
    store, recorder = (
        SnapshotStore(redis, clock=clock),
        Recorder(redis, clock, RecordOrder(path=folder, max_mb=100, ticks=True), flush_s=0.01),
    )
    payloads = ChainPayloads(market)
    task = asyncio.create_task(recorder.run(lambda: None))
    try:
        async with TradingEventPublisher(redis) as publisher:
            await until(lambda: recorder._position is not None and recorder._heard_ms is not None)
            for second in range(SECONDS):
                clock.advance(1.0)
                now = clock.now()
                market.advance(now)
                if second % 30 == 0:
                    body = payloads.chain(
                        ChainQuery(symbol="$SPX", from_date=date(2026, 8, 20), to_date=date(2026, 8, 21))
                    )
                    engine.on_chain(parse_chain(body, ticker="SPX", asof=now))
                engine.on_spot(market.spot("SPX"), epoch_ms(now))
                publisher.publish([tick(second)])
                await store.put(engine.compute(now))
                await until(lambda: recorder.status().snapshots == second + 1 == recorder.status().ticks)  # noqa: B023
    finally:
        task.cancel()
        await asyncio.wait({task})
    return recorder.status()


@pytest.fixture(scope="module")
def recording(redis_url, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")

    async def make():
        async with open_redis(redis_url) as redis:
            await redis.flushall()
            return await record_session(redis, folder)

    status = asyncio.run(make())
    assert (status.snapshots, status.ticks, status.gaps) == (SECONDS, SECONDS, 0)
    return folder


class TellingChannel(FakeChannel):
    """Keeps every text in the order of its writing."""

    def __init__(self):
        super().__init__()
        self.written = []

    async def send(self, content, *, nonce):
        self.written.append(("send", content))
        return await super().send(content, nonce=nonce)

    async def edit(self, message_id, content, picture=None):
        self.written.append(("edit", content))
        await super().edit(message_id, content)

    async def delete(self, message_id):
        self.written.append(("delete", ""))
        await super().delete(message_id)


@asynccontextmanager
async def everything_published(redis):
    """All payloads on the snapshots' channel meanwhile, as they were."""
    seen = []
    async with redis.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(keys.SNAPSHOT_STREAM)
        await pubsub.get_message(timeout=1)

        async def read():
            while True:
                message = await pubsub.get_message(timeout=0.05)
                if message is not None:
                    seen.append(message["data"])

        task = asyncio.create_task(read())
        try:
            yield seen
        finally:
            await asyncio.sleep(0.2)
            task.cancel()
            await asyncio.wait({task})


async def replay_with_feed(redis, folder, wall):
    """Play it at a wall-clock hour of its own; every payload and every text that came of it."""
    await redis.flushall()
    clock, channel = VirtualClock(wall), TellingChannel()
    store = SnapshotStore(redis, clock=clock)
    async with TradingEventPublisher(redis) as publisher:
        player = SnapshotReplay(recorded_tape(parts_of(folder), EVERYTHING), store, publisher, clock, speed=SPEED)
        settings = BotSettings(_env_file=None, gex_feed_force_window=True)
        runner = FeedRunner(
            showing({1: SPX.name}),
            SnapshotStore(redis, clock=clock),
            lambda _: channel,
            DictLedger(),
            settings,
            clock,
            rng=random.Random(1),
        )
        async with everything_published(redis) as seen:
            feed = asyncio.create_task(runner.run())
            await until(lambda: runner.status().listening and clock.sleeping == 1)
            playing = asyncio.create_task(player.run(lambda: None))
            # The last snapshot is sent once more, standing: one more than was played.
            await clock.run(
                lambda: (
                    clock.sleeping == 2 - playing.done() and runner.status().snapshots == player.played + playing.done()
                ),
                done=playing.done,
            )
            playing.result()
            await clock.run(lambda: clock.sleeping == 1, done=lambda: clock.monotonic() > 1000 + SECONDS / SPEED + 3)
            feed.cancel()
            await asyncio.wait({feed})
    return seen, channel.written[:-1], len(await redis.xrange(keys.TICKS_STREAM))


def unsent(payload):
    """A payload without the hour of its playing."""
    one = decode_snapshot(payload)
    return msgspec.structs.replace(one, replay=msgspec.structs.replace(one.replay, sent_ms=0))


async def recorded_snapshots(folder):
    found = recorded_tape(parts_of(folder), EVERYTHING).items()
    return [item.content async for item in found if isinstance(item.content, GexSnapshot)]


async def test_two_replays_give_the_same_snapshots_and_the_same_texts_at_any_hour(redis, recording):
    sunday = datetime(2026, 11, 22, 3, 0, tzinfo=NEW_YORK)
    first = await replay_with_feed(redis, recording, sunday)
    second = await replay_with_feed(redis, recording, sunday + timedelta(hours=31, seconds=7.25))
    assert [unsent(payload) for payload in first[0]] == [unsent(payload) for payload in second[0]]
    assert len(first[0]) == SECONDS + 1
    assert [deed for deed in first[1] if "waiting" not in deed[1]] == [
        deed for deed in second[1] if "waiting" not in deed[1]
    ]
    assert first[2] == second[2] == SECONDS
    texts = [without_colours(text) for deed, text in first[1] if deed != "delete"]
    assert len(texts) >= SECONDS / SPEED
    shown = [text for text in texts if "waiting for data" not in text]
    assert all("REPLAY 20 Aug 2026" in text for text in shown)
    assert len(shown) >= len(texts) - 1
    assert [deed for deed, _ in first[1]].count("delete") == 1, "the mark of 10:05"


async def test_what_is_replayed_is_what_was_recorded(redis, recording):
    seen, _, _ = await replay_with_feed(redis, recording, datetime(2026, 11, 22, 3, 0, tzinfo=NEW_YORK))
    recorded = await recorded_snapshots(recording)
    assert len(recorded) == SECONDS
    assert len({one.spot for one in recorded}) > SECONDS / 2, "the market moved"
    played = [msgspec.structs.replace(unsent(payload), replay=None, source=recorded[0].source) for payload in seen]
    assert played == [*recorded, recorded[-1]]


async def test_a_second_process_replays_the_same_snapshots(redis, redis_url, recording):
    async with everything_published(redis) as seen:
        await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "streaming", "replay", str(recording), "--speed", "0"],
            cwd=ROOT,
            env={"REDIS_URL": redis_url, "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
            timeout=30,
        )
        await until(lambda: len(seen) == SECONDS + 1)
    recorded = await recorded_snapshots(recording)
    played = [msgspec.structs.replace(unsent(payload), replay=None, source=recorded[0].source) for payload in seen]
    assert played == [*recorded, recorded[-1]]
    assert len(await redis.xrange(keys.TICKS_STREAM)) == SECONDS
