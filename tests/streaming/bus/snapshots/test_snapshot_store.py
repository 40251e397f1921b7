"""streaming/bus/snapshots/snapshot_store.py, history.py and subscription.py on real servers."""

import asyncio
import json
import os
import signal
from datetime import timedelta
from itertools import pairwise
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace
from redis.exceptions import ResponseError

from streaming.bus import keys
from streaming.bus.redis_connection import make_client, open_redis
from streaming.bus.server.embedded import free_port
from streaming.bus.snapshots.snapshot_history import without_curves
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import epoch_ms
from streaming.errors import TransientError
from streaming.model import Flow, ReplayMark
from streaming.past import past_of
from tests.support.redis_server import embedded_redis
from tests.support.snapshots import ASOF, snapshot


async def test_the_latest_comes_back_exactly(redis):
    store = SnapshotStore(redis)
    await store.put(snapshot())
    assert await store.latest("SPX") == snapshot()
    assert 0 < await redis.ttl(keys.snapshot("SPX")) <= 86_400


async def test_a_ticker_nobody_published_is_none(redis):
    assert await SnapshotStore(redis).latest("SPX") is None


async def test_another_producers_snapshot_is_read_under_its_short_name_too(redis):
    await redis.set("gex:snapshot:NQ", json.dumps({"ticker": "NQ", "spot_price": 25061.25, "net_gex": 1834.6}))
    latest = await SnapshotStore(redis).latest("NQ_NDX")
    assert (latest.ticker, latest.spot, latest.sum_gex_vol) == ("NQ_NDX", 25061.25, 1834.6)


async def test_an_unusable_snapshot_is_counted_and_not_shown(redis):
    store = SnapshotStore(redis)
    await redis.set("gex:snapshot:SPX", b'{"ticker": "SPX", "spot": 6400, "sum_gex_vol": 0}')
    assert await store.latest("SPX") is None
    assert store.rejected == 1


async def test_history_holds_the_last_minutes_oldest_first(redis):
    store = SnapshotStore(redis)
    for n in range(60):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=10 * n), seq=n))
    assert [s.seq for s in await store.history("SPX", minutes=1)] == [53, 54, 55, 56, 57, 58, 59]
    assert [s.seq for s in await store.history("SPX", minutes=600)] == list(range(60))


async def test_the_history_keeps_what_was_traded_and_leaves_out_the_table_by_strike(redis):
    own = Flow(span="1", usd_per_1pct=2e8, contracts=900, strike=6400.0, strike_usd_per_1pct=1e8)
    full = replace(snapshot(), flow=(own,), flow_strikes=((6400.0, (1e8,) * 7),))
    store = SnapshotStore(redis)
    await store.put(full)
    [kept] = await store.history("SPX", minutes=1)
    assert await store.latest("SPX") == full
    assert kept == replace(full, flow_strikes=())


async def test_history_reads_more_than_a_page(redis):
    store = SnapshotStore(redis, history_spacing_s=0)
    for n in range(450):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=n), seq=n))
    assert [s.seq for s in await store.history("SPX", minutes=600)] == list(range(450))


async def test_a_long_history_is_thinned_to_as_many_as_are_asked_for(redis):
    store = SnapshotStore(redis, history_spacing_s=0)
    for n in range(300):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=n), seq=n))
        await asyncio.sleep(0.001)
    found = await store.past(snapshot(), minutes=600, most=30, strikes=True)
    times = [(seen.asof_ms - epoch_ms(ASOF)) / 1000 for seen in found]
    assert 20 <= len(times) <= 30
    assert (times[0], times[-1]) == (0, 299)
    assert times == sorted(times)
    assert found[0] == past_of(without_curves(snapshot()))
    assert len(await store.past(snapshot(), minutes=1, most=300, strikes=False)) == 61


async def test_history_keeps_one_snapshot_in_five_seconds(redis):
    store = SnapshotStore(redis)
    for n in range(30):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=n), seq=n))
    assert [s.seq for s in await store.history("SPX", minutes=60)] == [0, 5, 10, 15, 20, 25]


async def test_a_new_day_in_new_york_clears_the_history(redis):
    store = SnapshotStore(redis)
    await store.put(snapshot(seq=1))
    midnight = ASOF.replace(hour=3, minute=59) + timedelta(days=1)  # 23:59 in New York, the same day
    await store.put(snapshot(asof=midnight, seq=2))
    assert [s.seq for s in await store.history("SPX", minutes=10_000)] == [1, 2]
    await store.put(snapshot(asof=midnight + timedelta(minutes=1), seq=3))
    assert [s.seq for s in await store.history("SPX", minutes=10_000)] == [3]
    assert await redis.xlen(keys.history("SPX")) == 1


async def test_an_older_day_of_another_producer_does_not_delete_todays_history(redis):
    store = SnapshotStore(redis)
    await store.put(snapshot(asof=ASOF, seq=1))
    late = replace(snapshot(asof=ASOF - timedelta(days=1), seq=2), computed_ms=epoch_ms(ASOF) + 1000)
    await store.put(late)
    assert [kept.seq for kept in await store.history("SPX", minutes=600)] == [1]


async def test_a_day_that_has_not_come_gives_way_to_today(redis):
    store = SnapshotStore(redis)
    await store.put(snapshot(asof=ASOF + timedelta(days=1), seq=1))
    await store.put(replace(snapshot(asof=ASOF, seq=2), computed_ms=epoch_ms(ASOF)))
    assert [kept.seq for kept in await store.history("SPX", minutes=600)] == [2]


async def test_a_restarted_producer_goes_on_with_todays_history_and_clears_yesterdays(redis):
    await SnapshotStore(redis).put(snapshot(seq=1))
    await SnapshotStore(redis).put(snapshot(asof=ASOF + timedelta(minutes=1), seq=2))
    assert await redis.xlen(keys.history("SPX")) == 2
    await SnapshotStore(redis).put(snapshot(asof=ASOF + timedelta(days=1), seq=3))
    assert await redis.xlen(keys.history("SPX")) == 1


async def test_history_leaves_ladders_and_profiles_out(redis):
    store, rows = SnapshotStore(redis), ((6400.0, 1.0, 2.0),) * 500
    bare = snapshot()
    await store.put(replace(bare, scopes={"full": replace(bare.scopes["full"], ladder=rows, profile=rows)}))
    assert (await store.latest("SPX")).scopes["full"].profile == rows
    assert await store.history("SPX", minutes=1) == [bare]
    assert await redis.memory_usage(keys.history("SPX")) < 10_000


async def test_history_is_capped(redis):
    store = SnapshotStore(redis, history_cap=20, history_spacing_s=0)
    for n in range(300):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=n), seq=n))
    assert 20 <= await redis.xlen(keys.history("SPX")) < 150


async def test_a_long_day_stays_within_its_memory_dense_at_its_end_and_with_its_morning(redis):
    store = SnapshotStore(redis, history_mb=1.5, history_spacing_s=60)
    wide = replace(snapshot(), scopes={}, strikes=tuple((6000.0 + n, 1.0, 2.0, (None,) * 5) for n in range(220)))
    begun = [ASOF + timedelta(seconds=60 * n) for n in range(200)]
    for at in begun:
        await store.put(replace(wide, asof_ms=epoch_ms(at)))
    kept = [one.asof_ms for one in await store.history("SPX", minutes=500)]
    assert kept[0] == epoch_ms(begun[0])
    assert kept[-30:] == [epoch_ms(at) for at in begun[-30:]]
    older = [after - before for before, after in pairwise(kept[:-50])]
    assert set(older) == {300_000}
    assert await redis.memory_usage(keys.history("SPX"), samples=0) < 1.5e6


async def test_where_nothing_may_be_deleted_the_history_is_bounded_and_that_is_said_once(redis, caplog, monkeypatch):
    store = SnapshotStore(redis, history_mb=0.2, history_spacing_s=60)
    monkeypatch.setattr(redis, "xdel", AsyncMock(side_effect=ResponseError("NOPERM no XDEL")))
    for n in range(120):
        await store.put(replace(snapshot(), asof_ms=epoch_ms(ASOF + timedelta(seconds=60 * n))))
    assert caplog.text.count("XDEL is refused") == 1
    assert await redis.memory_usage(keys.history("SPX"), samples=0) < 0.3e6


async def test_tickers_have_histories_of_their_own(redis):
    store = SnapshotStore(redis)
    await store.put(snapshot("SPX", seq=1))
    await store.put(snapshot("NDX", seq=2))
    assert [s.ticker for s in await store.history("NDX", minutes=5)] == ["NDX"]


async def test_listeners_get_every_new_snapshot_of_every_ticker(redis):
    store = SnapshotStore(redis)
    async with store.listen() as snapshots:
        await store.put(snapshot("SPX", seq=1))
        await store.put(snapshot("NDX", seq=2))
        async with asyncio.timeout(5):
            assert [(await anext(snapshots)).ticker for _ in range(2)] == ["SPX", "NDX"]


async def test_listeners_never_see_an_unusable_snapshot(redis):
    store = SnapshotStore(redis)
    async with store.listen() as snapshots:
        for bad in (b"not json", b"[]", b'{"ticker":"SPX","spot":1}', b'{"spot":1,"net_gex":2}', b"\xff\xfe"):
            await redis.publish(keys.SNAPSHOT_STREAM, bad)
        await store.put(snapshot(seq=9))
        async with asyncio.timeout(5):
            assert (await anext(snapshots)).seq == 9
        assert store.rejected == 5


async def test_listening_survives_a_killed_server_and_makes_up_for_the_gap():
    async with embedded_redis() as server, open_redis(server.url) as redis:
        store = SnapshotStore(redis)
        async with store.listen() as snapshots:
            await store.put(snapshot(seq=1))
            assert (await anext(snapshots)).seq == 1
            first = server.pid
            os.kill(first, signal.SIGKILL)
            async with asyncio.timeout(10):
                while server.pid == first:
                    await asyncio.sleep(0.01)
                await store.put(snapshot(seq=2))
                assert (await anext(snapshots)).seq == 2
                await store.put(snapshot(seq=3))
                assert (await anext(snapshots)).seq == 3


async def test_listening_can_begin_before_redis_is_there_and_ends_at_once(monkeypatch):
    monkeypatch.setattr("streaming.bus.snapshots.snapshot_store._SUBSCRIBE_S", 0.1)
    redis = make_client(f"redis://127.0.0.1:{free_port()}/0")
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with SnapshotStore(redis).listen():
        pass
    assert loop.time() - began < 1
    await redis.aclose()


async def test_without_redis_every_answer_is_a_transient_error():
    redis = make_client(f"redis://127.0.0.1:{free_port()}/0")
    store = SnapshotStore(redis)
    with pytest.raises(TransientError):
        await store.put(snapshot())
    with pytest.raises(TransientError):
        await store.latest("SPX")
    with pytest.raises(TransientError):
        await store.history("SPX", minutes=5)
    await redis.aclose()


def played(seconds, *, day=ASOF):
    mark = ReplayMark(of="test", speed=1.0, sent_ms=epoch_ms(ASOF))
    return replace(snapshot(asof=day + timedelta(seconds=seconds)), replay=mark)


async def test_a_replay_of_another_day_leaves_todays_history_alone(redis):
    store = SnapshotStore(redis)
    for seconds in (0, 5):
        await store.put(snapshot(asof=ASOF + timedelta(seconds=seconds)))
    for seconds in (0, 5, 10):
        await store.put(played(seconds, day=ASOF - timedelta(days=3)))
    found = await store.history("SPX", minutes=5)
    assert [one.replay is not None for one in found] == [True] * 3
    await store.put(snapshot(asof=ASOF + timedelta(seconds=10)))
    found = await store.history("SPX", minutes=5)
    assert [one.asof_ms - epoch_ms(ASOF) for one in found] == [0, 5000, 10_000]
    assert await redis.xlen(keys.history("SPX")) == 3


async def test_a_replay_that_begins_again_begins_its_history_again(redis):
    store = SnapshotStore(redis)
    for seconds in (0, 300, 600, 0, 5):
        await store.put(played(seconds))
    assert [one.asof_ms - epoch_ms(ASOF) for one in await store.history("SPX", minutes=60)] == [0, 5000]
