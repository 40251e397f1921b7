import asyncio
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from streaming.bus import keys
from streaming.clock import SystemClock, epoch_ms
from streaming.errors import ConfigurationError, RequestError
from streaming.replay.source import RecordedSource
from streaming.settings import StreamSettings
from streaming.symbols import parse_ticker
from tests.support.recordings import record
from tests.support.snapshots import snapshot
from tests.support.source_rigs import kit_of
from tests.support.waiting import until


class Events:
    def __init__(self):
        self.seen = []

    def publish(self, events):
        self.seen += events


def source(redis, folder, *, tickers=("SPX", "NDX"), owner="me", clock=None, **settings):
    settings = StreamSettings(_env_file=None, gex_source="replay", gex_replay_path=folder, **settings)
    kit = kit_of(redis, settings, Events(), owner=owner, clock=clock or SystemClock())
    made = RecordedSource([parse_ticker(name) for name in tickers], kit)
    made.store, made.clock = kit.snapshots, kit.clock
    return made


@asynccontextmanager
async def running(*sources):
    tasks = [asyncio.create_task(one.run(lambda: None)) for one in sources]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_the_settings_say_what_is_played_how_fast_and_from_where(redis, tmp_path):
    made = source(redis, record(tmp_path), gex_replay_speed=100.0, gex_replay_start="10:30", tickers=("SPX",))
    async with running(made):
        await until(lambda: made.status().snapshots == 5)
        await asyncio.sleep(0.1)
        status = made.status()
        latest = await made.store.latest("SPX")
    assert (status.name, status.tickers, status.snapshots) == ("replay", ("SPX",), 5)
    assert (latest.source, latest.spot, latest.replay.of) == ("replay", 6409.0, "test")
    assert await made.store.latest("NDX") is None
    assert made.status().state == "stopped"


async def test_a_newest_day_of_a_folder_is_played_with_its_ticks(redis, tmp_path):
    made = source(redis, record(tmp_path), gex_replay_speed=0.0)
    async with running(made):
        await until(lambda: made.status().snapshots == 20 and len(made._kit.events.seen) == 10)


async def test_recorded_ticks_keep_quiet_while_live_ones_are_streamed(redis, tmp_path):
    await redis.set(keys.STREAM_LEASE, "this bot itself")
    made = source(redis, record(tmp_path), gex_replay_speed=0.0)
    async with running(made):
        await until(lambda: made.status().snapshots == 20)
    assert made._kit.events.seen == []


async def test_of_two_processes_one_plays_and_the_other_takes_over(redis, tmp_path):
    record(tmp_path)
    first, second = (source(redis, tmp_path, owner=name, gex_replay_loop=True) for name in ("one", "two"))
    async with running(second) as waiting:
        await until(lambda: second.status().snapshots)
        async with running(first):
            await asyncio.sleep(0.2)
            assert first.status().state == "standby"
            waiting[0].cancel()
            await until(lambda: first.status().snapshots, timeout_s=8)


async def test_without_a_path_the_setting_is_named(redis):
    with pytest.raises(ConfigurationError, match="GEX_REPLAY_PATH is not set"):
        await source(redis, None).run(lambda: None)


async def test_a_folder_without_recordings_is_named(redis, tmp_path):
    with pytest.raises(RequestError, match="holds no recording"):
        await source(redis, tmp_path).run(lambda: None)


async def test_a_live_producer_that_stays_is_left_alone(redis, tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.replay.guard.FRESH_S", 0.5)
    made = source(redis, record(tmp_path))

    async def produce():
        while True:
            now = made.clock.now()
            await made.store.put(replace(snapshot(asof=now), computed_ms=epoch_ms(now)))
            await asyncio.sleep(0.05)

    producing = asyncio.create_task(produce())
    await asyncio.sleep(0.1)
    with pytest.raises(RequestError, match="publishes live snapshots of SPX") as caught:
        await made.run(lambda: None)
    producing.cancel()
    assert "GEX_SOURCE" in caught.value.remedy
    assert (await made.store.latest("SPX")).source == "test"


async def test_what_was_live_before_the_restart_is_waited_for(redis, tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.replay.guard.FRESH_S", 0.5)
    made = source(redis, record(tmp_path), gex_replay_speed=0.0)
    now = made.clock.now()
    await made.store.put(replace(snapshot(asof=now), computed_ms=epoch_ms(now)))
    async with running(made):
        await until(lambda: made.status().snapshots == 20)
