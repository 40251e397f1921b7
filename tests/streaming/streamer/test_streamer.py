"""The whole market-data side at once: the simulator's Schwab in, Redis out, nothing replaced."""

import asyncio
import json
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.clock import ShiftedClock
from streaming.errors import ConfigurationError
from streaming.figures import headline
from streaming.model import PointView
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import SimServer, open_sim
from streaming.sim.world.market import Market
from streaming.streamer.runtime import Runtime, open_runtime
from streaming.streamer.streamed_symbols import SymbolChanges
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)


@dataclass
class Rig:
    sim: SimServer
    runtime: Runtime
    streamer: Streamer
    task: asyncio.Task[None]


@asynccontextmanager
async def streaming_rig(tmp_path: Path, redis_url: str, *tickers: str) -> AsyncIterator[Rig]:
    """A streamer that runs against a fresh simulator until the block ends."""
    clock = ShiftedClock(START)
    market = Market.generate(start_at=START, seed=7)
    async with open_sim(market, clock, client_id="id", client_secret="secret") as sim:
        token_path = tmp_path / "tokens" / "token.json"
        token_path.parent.mkdir(mode=0o700)
        token_path.write_text(json.dumps(sim.issue_token()))
        token_path.chmod(0o600)
        settings = StreamSettings(
            _env_file=None,
            schwab_client_id=SecretStr("id"),
            schwab_client_secret=SecretStr("secret"),
            schwab_api_url=sim.url,
            schwab_symbols=("SPY", "/MNQ"),
            schwab_token_path=token_path,
            redis_url=redis_url,
            gex_chain_days=10,
            gex_pace_seconds=0.5,
            gex_live_options=20,
        )
        async with open_runtime(settings, clock, tell=lambda _line: None) as runtime:
            streamer = Streamer(runtime, [parse_ticker(name) for name in tickers], rng=random.Random(1))
            task = asyncio.create_task(streamer.run(lambda: None))
            try:
                yield Rig(sim, runtime, streamer, task)
            finally:
                task.cancel()
                await asyncio.wait({task})


async def until(condition: Callable[[], bool], *, within_s: float = 15.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():
            await asyncio.sleep(0.05)


def test_a_ticker_is_loading_until_every_planned_expiry_is_there_once():
    settings = StreamSettings(_env_file=None, gex_source_map="NDX:cboe")
    streamer = Streamer(
        SimpleNamespace(settings=settings, redis=None),
        [parse_ticker(name) for name in ("SPX", "NDX", "NQ_NDX")],
        rng=random.Random(1),
    )
    spx, ndx, nq = (parse_ticker(name) for name in ("SPX", "NDX", "NQ_NDX"))
    assert streamer.loading(spx) is None, "nothing streams yet"
    ages = {"SPX": dict.fromkeys("abc", 1.0) | {"d": None}, "NDX": {"a": 1.0}}
    streamer._parts = SimpleNamespace(poller=SimpleNamespace(expiry_age_s=lambda: ages))  # type: ignore[assignment]
    assert str(streamer.loading(spx)) == "3 of 4 expiries loaded"
    assert streamer.loading(nq) is None, "all is there"
    ages["NDX"] = {"a": None, "b": None}
    assert str(streamer.loading(nq)) == "0 of 2 expiries loaded"
    assert streamer.loading(ndx) is None, "it comes from elsewhere"


async def test_snapshots_of_an_index_and_of_its_future_reach_redis(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX", "NQ_NDX") as rig:
        await until(lambda: rig.streamer.counters.snapshots >= 8)
        index = await rig.runtime.snapshots.latest("NDX")
        future = await rig.runtime.snapshots.latest("NQ_NDX")
    assert index is not None and future is not None
    assert index.spot and 0.9 < headline(index)["zero_gamma"] / index.spot < 1.1
    assert future.basis is not None
    assert future.major_pos_oi == pytest.approx(index.major_pos_oi + future.basis, abs=1e-6)
    assert index.scopes["full"].contracts > 500


async def test_ticks_and_books_flow_and_keep_their_order(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.runtime.publisher.stats.published > 30)
        ticks = [json.loads(fields[b"data"]) for _, fields in await redis.xrange(keys.TICKS_STREAM)]
        books = [json.loads(fields[b"data"]) for _, fields in await redis.xrange(keys.LEVEL2_STREAM)]
    assert {"SPY", "/MNQ", "$NDX"} <= {tick["symbol"] for tick in ticks}
    assert [tick["seq"] for tick in ticks] == sorted({tick["seq"] for tick in ticks})
    future_books = [book for book in books if book["symbol"] == "/MNQ"]
    assert {book["depth_kind"] for book in future_books} == {"top_of_book"}
    assert {book["depth_kind"] for book in books if book["symbol"] == "SPY"} == {"venue_montage"}


async def test_the_options_near_the_money_are_streamed_but_not_published(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: len(rig.sim.subscriptions.get("LEVELONE_OPTIONS", ())) == 20)
        await until(lambda: rig.runtime.publisher.stats.published > 30)
        ticks = [json.loads(fields[b"data"])["symbol"] for _, fields in await redis.xrange(keys.TICKS_STREAM)]
    assert not [symbol for symbol in ticks if symbol.startswith("NDXP")]


async def test_figures_go_on_through_a_lost_socket(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.status().state == "live" and rig.streamer.counters.snapshots > 2)
        await rig.sim.drop_streams()
        await until(lambda: rig.streamer.status().reconnects == 1 and rig.streamer.status().state == "live")
        snapshots = rig.streamer.counters.snapshots
        await until(lambda: rig.streamer.counters.snapshots > snapshots + 2)


async def test_a_ticker_that_comes_while_streaming_is_computed_beside_the_others_until_nobody_wants_it(
    tmp_path: Path, redis: Redis, redis_url: str
):
    spx = parse_ticker("SPX")
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.counters.snapshots > 0)
        rig.streamer.serve_beside([spx, parse_ticker("NDX")])
        await until(lambda: rig.streamer.loading(spx) is not None)
        while (made := await rig.runtime.snapshots.latest("SPX")) is None:
            await asyncio.sleep(0.05)
        status, streamed = rig.streamer.status(), rig.sim.subscriptions["LEVELONE_EQUITIES"]
        assert (made.source, made.spot is not None, status.reconnects) == ("simulated", True, 0)
        assert {"$SPX", "$NDX"} <= set(streamed) and {"SPX", "NDX"} == set(status.chain_age_s)
        assert "$SPX" in rig.streamer.needed_symbols
        rig.streamer.serve_beside(())
        await until(lambda: "$SPX" not in rig.sim.subscriptions["LEVELONE_EQUITIES"])
        snapshots = rig.streamer.counters.snapshots
        await until(lambda: rig.streamer.counters.snapshots > snapshots)
        assert (rig.streamer.status().reconnects, set(rig.streamer.status().chain_age_s)) == (0, {"NDX"})


async def test_published_options_are_quoted_only_while_a_ticker_is_computed(
    tmp_path: Path, redis: Redis, redis_url: str
):
    async with streaming_rig(tmp_path, redis_url) as rig:
        await until(lambda: rig.streamer._parts is not None and not rig.streamer._parts.client.subscriptions.quotes)
        rig.streamer.serve_beside([parse_ticker("SPX")])
        await until(lambda: rig.streamer._parts.client.subscriptions.quotes)


async def test_a_killed_engine_process_costs_seconds_and_is_counted(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.counters.snapshots > 1)
        pid = rig.streamer._parts.engines.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: rig.streamer.status().engine_restarts == 1)
        snapshots = rig.streamer.counters.snapshots
        await until(lambda: rig.streamer.counters.snapshots > snapshots + 1)
        assert rig.streamer._parts.engines.pid != pid


async def test_a_chain_that_cannot_be_true_is_counted_and_said_and_moves_nothing(
    tmp_path: Path, redis: Redis, redis_url: str
):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.counters.snapshots > 1)
        before = await rig.runtime.snapshots.latest("NDX")
        rig.sim.faults.chains = "calls_only"
        await until(lambda: rig.streamer.status().chains_refused > 0)
        assert "It lists only calls." in rig.streamer.status().chain_refusals.values()
        snapshots = rig.streamer.counters.snapshots
        await until(lambda: rig.streamer.counters.snapshots > snapshots + 1)
        during = await rig.runtime.snapshots.latest("NDX")
        async with asyncio.timeout(5):
            while int(await redis.hget(keys.STREAM_METRICS, "chains_refused") or 0) == 0:
                await asyncio.sleep(0.05)
        assert b"only calls" in await redis.hget(keys.STREAM_METRICS, "chain_refusals")
    assert before is not None and during is not None
    assert during.scopes["zero"].contracts == before.scopes["zero"].contracts


async def test_levels_of_an_index_can_be_read_in_etf_and_futures_points(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        seen: dict[str, PointView] = {}
        async with asyncio.timeout(15):
            while set(seen) != {"etf", "future"}:
                await asyncio.sleep(0.1)
                snapshot = await rig.runtime.snapshots.latest("NDX")
                seen = {} if snapshot is None else snapshot.views
    assert (seen["etf"].symbol, seen["future"].symbol) == ("QQQ", "/NQ")
    assert 0.01 < seen["etf"].ratio < 0.1
    assert seen["future"].points != 0.0
    assert abs(snapshot.asof_ms - seen["etf"].ratio_ms) < 30_000


async def test_a_useful_symbol_that_operators_remove_is_not_streamed(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: {"QQQ", "/NQ"} <= set(rig.streamer.status().symbols))
        await rig.streamer.store_changes(SymbolChanges(removed=frozenset({"QQQ"})))
        await until(lambda: "QQQ" not in rig.streamer.status().symbols)
        assert "/NQ" in rig.streamer.status().symbols


async def test_requests_are_counted_where_other_processes_see_them_and_one_is_for_the_ex_dividend_date(
    tmp_path: Path, redis: Redis, redis_url: str
):
    async with streaming_rig(tmp_path, redis_url, "SPY") as rig:
        await until(lambda: rig.streamer.counters.snapshots > 1)
        used = rig.streamer.status().requests_used
        assert 0 < used <= await redis.llen(keys.REQUESTS)
        async with asyncio.timeout(15):
            while (snapshot := await rig.runtime.snapshots.latest("SPY")) is None or snapshot.ex_dividend_date is None:
                await asyncio.sleep(0.05)
        assert snapshot.ex_dividend_date == "2026-09-18"


async def test_the_telemetry_hash_says_how_the_stream_is(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.counters.snapshots > 2)
        await asyncio.sleep(1.2)
        metrics = await redis.hgetall(keys.STREAM_METRICS)
    assert metrics[b"state"] == b"live"
    assert int(metrics[b"published"]) > 0
    assert int(metrics[b"lost"]) == 0
    assert float(metrics[b"last_frame_age_s"]) < 5


async def test_a_second_streamer_stands_by_and_takes_over(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "NDX") as rig:
        await until(lambda: rig.streamer.status().state == "live")
        second = Streamer(rig.runtime, [parse_ticker("NDX")], rng=random.Random(2))
        standby = asyncio.create_task(second.run(lambda: None))
        try:
            await asyncio.sleep(1.0)
            assert second.status().state == "standby"
            assert rig.streamer.status().state == "live"
            rig.task.cancel()
            await until(lambda: second.status().state == "live", within_s=5)
        finally:
            standby.cancel()
            await asyncio.wait({standby})


async def test_without_app_key_the_remedy_is_named(tmp_path: Path, redis_url: str):
    settings = StreamSettings(_env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "t" / "token.json")
    async with open_runtime(settings, ShiftedClock(START), tell=lambda _line: None) as runtime:
        streamer = Streamer(runtime, [parse_ticker("NDX")], rng=random.Random(1))
        with pytest.raises(ConfigurationError, match="SCHWAB_CLIENT_ID"):
            await streamer.run(lambda: None)


async def test_trades_of_streamed_options_become_signed_flow(tmp_path: Path, redis: Redis, redis_url: str):
    async with streaming_rig(tmp_path, redis_url, "SPX") as rig, asyncio.timeout(30):
        flow = None
        while flow is None or not flow.day.delta_usd:
            await asyncio.sleep(0.1)
            latest = await rig.runtime.snapshots.latest("SPX")
            flow = None if latest is None else latest.signed_flow
    assert 0.0 < flow.seen <= 1.0
    assert flow.day.contracts > 0
