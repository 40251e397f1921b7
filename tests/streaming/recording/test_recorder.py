import asyncio
import json
from contextlib import asynccontextmanager
from datetime import timedelta

import msgspec
import pytest

from streaming.bus import keys
from streaming.bus.codec import encode_event, encode_snapshot
from streaming.bus.redis_connection import open_redis
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock, epoch_ms
from streaming.errors import OperatorError
from streaming.model import ReplayMark
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.recorder import Recorder, RecordOrder
from streaming.recording.recording_files import parts_in
from tests.support.events import tick
from tests.support.redis_server import plain_redis
from tests.support.snapshots import ASOF, snapshot
from tests.support.waiting import until


@asynccontextmanager
async def recording(redis, folder, **order):
    recorder = Recorder(redis, SystemClock(), RecordOrder(path=folder, **({"max_mb": 100} | order)), flush_s=0.02)
    task = asyncio.create_task(recorder.run(lambda: None))
    try:
        await until(lambda: recorder.status().state == "recording" or task.done())
        async with asyncio.timeout(5):
            while not task.done() and (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
                await asyncio.sleep(0.005)
        yield recorder
    finally:
        task.cancel()
        await asyncio.wait({task})


def lines(folder):
    return list(read_parts(parts_in(folder), ReadCounts()))


async def test_every_snapshot_is_written_as_it_was_published(redis, tmp_path):
    store, put = SnapshotStore(redis), [snapshot(seq=n, spot=6400 + n) for n in range(5)]
    async with recording(redis, tmp_path) as recorder:
        for one in put:
            await store.put(one)
        await until(lambda: recorder.status().written_bytes and recorder.status().snapshots == 5)
    assert [bytes(line.snapshot) for line in lines(tmp_path)] == [encode_snapshot(one) for one in put]
    assert [part.path.name for part in parts_in(tmp_path)] == ["snapshots-2026-08-20.001.jsonl.gz"]


async def test_each_snapshot_goes_to_the_day_of_its_quotes(redis, tmp_path):
    store = SnapshotStore(redis)
    async with recording(redis, tmp_path) as recorder:
        for days in (0, 1):
            await store.put(snapshot(asof=ASOF + timedelta(days=days)))
        await until(lambda: recorder.status().snapshots == 2)
    assert [part.day for part in parts_in(tmp_path)] == ["2026-08-20", "2026-08-21"]


async def test_what_waits_at_the_end_is_written(redis, tmp_path):
    store = SnapshotStore(redis)
    recorder = Recorder(redis, SystemClock(), RecordOrder(path=tmp_path, max_mb=100), flush_s=60)
    task = asyncio.create_task(recorder.run(lambda: None))
    async with asyncio.timeout(5):
        while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
            await asyncio.sleep(0.005)
    await store.put(snapshot())
    await until(lambda: recorder.status().snapshots)
    task.cancel()
    await asyncio.wait({task})
    assert len(lines(tmp_path)) == 1
    assert recorder.status().state == "stopped"


async def test_snapshots_of_other_programs_are_kept_in_their_own_words(redis, tmp_path):
    payload = b'{"symbol": "SPX", "spot_price": 6400.5, "net_gex": 1200, "when": "now"}'
    async with recording(redis, tmp_path) as recorder:
        await redis.publish(keys.SNAPSHOT_STREAM, payload)
        await until(lambda: recorder.status().snapshots)
    assert bytes(lines(tmp_path)[0].snapshot) == payload


async def test_what_is_unusable_or_a_replay_or_of_another_ticker_is_not_recorded_but_counted(redis, tmp_path):
    store = SnapshotStore(redis)
    played = msgspec.structs.replace(snapshot(), replay=ReplayMark(of="x", speed=1, sent_ms=0))
    async with recording(redis, tmp_path, tickers={"SPX"}) as recorder:
        await redis.publish(keys.SNAPSHOT_STREAM, b"nonsense")
        await store.put(played)
        await store.put(snapshot("NDX"))
        await store.put(snapshot("SPX"))
        await until(lambda: recorder.status().snapshots)
    assert (recorder.status().rejected, recorder.status().replayed) == (1, 1)
    assert [json.loads(bytes(line.snapshot))["ticker"] for line in lines(tmp_path)] == ["SPX"]


async def test_ticks_are_read_from_their_stream_and_a_restart_goes_on_where_it_stopped(redis, tmp_path):
    async def add(*numbers):
        for number in numbers:
            await redis.xadd(keys.TICKS_STREAM, {"data": encode_event(tick(number))})

    await add(1)
    async with recording(redis, tmp_path, ticks=True) as recorder:
        await until(lambda: recorder._position is not None)
        await add(2, 3)
        await until(lambda: recorder.status().ticks == 2)
    await add(4, 5)
    async with recording(redis, tmp_path, ticks=True) as recorder:
        await until(lambda: recorder.status().ticks == 2)
    found = lines(tmp_path)
    assert [json.loads(bytes(line.tick))["seq"] for line in found] == [2, 3, 4, 5]
    assert all(line.id for line in found)


async def test_ticks_that_are_played_are_not_recorded_again(redis, tmp_path):
    async with recording(redis, tmp_path, ticks=True) as recorder:
        await until(lambda: recorder._position is not None)
        for one in (msgspec.structs.replace(tick(1), source="replay"), tick(2)):
            await redis.xadd(keys.TICKS_STREAM, {"data": encode_event(one)})
        await until(lambda: recorder.status().ticks)
    assert recorder.status().replayed == 1
    assert [json.loads(bytes(line.tick))["seq"] for line in lines(tmp_path)] == [2]


async def test_ticks_trimmed_unread_are_a_gap_with_their_number(redis, tmp_path):
    async with recording(redis, tmp_path, ticks=True) as recorder:
        await until(lambda: recorder._position is not None)
        async with redis.pipeline(transaction=True) as pipeline:
            for number in range(10):
                pipeline.xadd(keys.TICKS_STREAM, {"data": encode_event(tick(number))})
            pipeline.xtrim(keys.TICKS_STREAM, maxlen=4, approximate=False)
            await pipeline.execute()
        await until(lambda: recorder.status().ticks == 4)
    status = recorder.status()
    assert (status.gaps, status.lost) == (1, 6)
    assert [line.gap.lost for line in lines(tmp_path) if line.gap] == [6]


async def test_an_outage_of_redis_is_a_line_in_the_recording_and_a_count(tmp_path, caplog):
    with plain_redis(tmp_path) as (url, server):
        async with open_redis(url) as redis, recording(redis, tmp_path, ticks=True) as recorder:
            store = SnapshotStore(redis)
            await store.put(snapshot(seq=1))
            await until(lambda: recorder.status().snapshots == 1)
            await redis.client_kill_filter(_type="pubsub")
            await until(lambda: recorder.status().gaps == 1)
            await store.put(snapshot(seq=2))
            await until(lambda: recorder.status().snapshots == 2)
        assert server.poll() is None
    kinds = ["gap" if line.gap else "snapshot" for line in lines(tmp_path)]
    assert kinds == ["snapshot", "gap", "snapshot"]
    gap = next(line.gap for line in lines(tmp_path) if line.gap)
    assert (gap.of, gap.reason) == ("snapshots", "Redis was away")
    assert gap.since_ms is not None
    assert "the recording has a gap" in caplog.text


async def test_the_time_between_two_runs_of_a_day_is_a_gap(redis, tmp_path):
    store, now = SnapshotStore(redis), SystemClock().now()
    for run in (1, 2):
        async with recording(redis, tmp_path) as recorder:
            await store.put(snapshot(asof=now, seq=run))
            await until(lambda: recorder.status().snapshots)
        assert recorder.status().gaps == run - 1
    (gap,) = [line.gap for line in lines(tmp_path) if line.gap]
    assert gap.reason == "the recorder did not run"
    assert abs(gap.since_ms - now.timestamp() * 1000) < 5000


async def test_operators_read_the_counters_in_redis(redis, tmp_path):
    async with recording(redis, tmp_path) as recorder:
        await SnapshotStore(redis).put(snapshot())
        await until(lambda: recorder.status().last_write_at)
        async with asyncio.timeout(5):
            while (await redis.hget(keys.RECORDER_METRICS, "snapshots")) != b"1":
                await asyncio.sleep(0.05)
        found = await redis.hgetall(keys.RECORDER_METRICS)
    assert found[b"state"] == b"recording"
    assert found[b"path"].decode() == str(tmp_path)
    assert int(found[b"total_bytes"]) > 0
    assert b"last_error" not in found


async def test_a_bound_that_today_alone_reaches_ends_the_recorder_with_the_remedy(redis, tmp_path, monkeypatch):
    monkeypatch.setattr("streaming.recording.writer._MEGABYTE", 10)
    recorder = Recorder(redis, SystemClock(), RecordOrder(path=tmp_path, max_mb=1), flush_s=0.01)
    task = asyncio.create_task(recorder.run(lambda: None))
    async with asyncio.timeout(5):
        while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
            await asyncio.sleep(0.005)
    await SnapshotStore(redis).put(snapshot())
    with pytest.raises(BaseExceptionGroup) as caught:
        await task
    assert caught.group_contains(OperatorError, match="today alone")
    assert recorder.status().state == "failed"
    assert "GEX_RECORD_MAX_MB" in recorder.status().last_error


async def test_the_event_loop_goes_on_while_the_disk_is_slow(redis, tmp_path, monkeypatch):
    import time

    from streaming.recording.writer import RecordWriter

    real = RecordWriter.write

    def slow(self, *args, **more):
        time.sleep(0.5)
        return real(self, *args, **more)

    monkeypatch.setattr(RecordWriter, "write", slow)
    async with recording(redis, tmp_path) as recorder:
        await SnapshotStore(redis).put(snapshot())
        await until(lambda: recorder.status().snapshots)
        loop, late = asyncio.get_running_loop(), []
        for _ in range(20):
            began = loop.time()
            await asyncio.sleep(0.01)
            late.append(loop.time() - began - 0.01)
    assert max(late) < 0.25


async def test_a_redis_that_dies_and_returns_does_not_end_the_recorder(tmp_path):
    with plain_redis(tmp_path) as (url, process):
        async with open_redis(url) as redis, recording(redis, tmp_path / "out", ticks=True) as recorder:
            process.kill()
            process.wait()
            await asyncio.sleep(0.3)
            assert recorder.status().state == "recording"


async def test_a_tick_that_nobody_can_place_is_rejected_and_the_recording_goes_on(redis, tmp_path):
    strays = [
        encode_event(msgspec.structs.replace(tick(1), event_ms=10**17)),
        encode_event(tick(1))[:-1] + b',"more":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    ]
    async with recording(redis, tmp_path, ticks=True) as recorder:
        await until(lambda: recorder._position is not None)
        for payload in (*strays, encode_event(tick(2))):
            await redis.xadd(keys.TICKS_STREAM, {"data": payload})
        await until(lambda: recorder.status().rejected == 2 and recorder.status().ticks == 1)
        assert recorder.status().state == "recording"


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00", "9999-12-31T23:59:59Z", -62_135_596_800, 10**40])
async def test_a_snapshot_of_a_year_that_cannot_be_does_not_stop_the_recorder(redis, tmp_path, stamp):
    async with recording(redis, tmp_path) as recorder:
        odd = {"ticker": "SPX", "net_gex": 5.0, "timestamp": stamp}
        await redis.publish(keys.SNAPSHOT_STREAM, json.dumps(odd))
        await SnapshotStore(redis).put(snapshot())
        await until(lambda: recorder.status().snapshots == 2)
        assert recorder.status().state == "recording"


async def test_what_breaks_the_recorders_own_code_costs_one_message(redis, tmp_path, monkeypatch):
    def day_of(asof_ms):
        if asof_ms == epoch_ms(ASOF):
            raise KeyError("a bug of ours")
        return "2026-08-20"

    monkeypatch.setattr("streaming.recording.recorder.day_of", day_of)
    store = SnapshotStore(redis)
    async with recording(redis, tmp_path) as recorder:
        await store.put(snapshot())
        await store.put(snapshot(asof=ASOF + timedelta(seconds=1)))
        await until(lambda: recorder.status().snapshots == 1)
        assert recorder.status().rejected == 1
