"""streaming/streamer/source_table.py: several sources side by side in one process."""

import asyncio
import json
import random
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from streaming.bus import keys
from streaming.clock import SystemClock
from streaming.errors import RequestError
from streaming.setting_values import SOURCES
from streaming.settings import StreamSettings
from streaming.sources.on_demand import CboeOnce, SchwabOnce
from streaming.streamer.runtime import open_runtime
from streaming.streamer.source_table import KINDS, Sources, on_demand_source
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker
from tests.support.http import open_http_server
from tests.support.source_rigs import GEXBOT_ANSWER, GEXBOT_QUOTE_S, KEY, Lever, cboe_chain, running
from tests.support.stream_rig import streamer_rig
from tests.support.waiting import until


@asynccontextmanager
async def assembled(tmp_path, redis_url, *names, **values):
    settings = StreamSettings(
        _env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "t" / "t.json", **values
    )
    async with open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime:
        tickers = [parse_ticker(name) for name in names]
        rng = random.Random(1)
        yield Sources(runtime, tickers, Streamer(runtime, tickers, rng=rng), rng=rng, tell=lambda _line: None)


def test_every_source_that_can_be_chosen_is_one_record_and_only_the_streamer_has_a_job_of_its_own():
    assert tuple(kind.name for kind in KINDS) == SOURCES
    assert [kind.name for kind in KINDS if kind.has_own_job] == ["schwab"]


async def test_each_source_gets_its_own_tickers_and_only_chosen_ones_exist(tmp_path, redis_url):
    chosen = {"gex_source_map": "SPY:cboe,QQQ:gexbot,IWM:cboe"}
    async with assembled(tmp_path, redis_url, "SPX", "SPY", "QQQ", "IWM", **chosen) as sources:
        found = {status.name: status.tickers for status in sources.statuses()}
        assert found == {"schwab": ("SPX",), "cboe": ("SPY", "IWM"), "gexbot": ("QQQ",)}
        assert [source.name for source in sources.polled] == ["cboe", "gexbot"]


async def test_a_common_source_serves_everything_and_schwab_then_nothing(tmp_path, redis_url):
    async with assembled(tmp_path, redis_url, "SPX", "NDX", gex_source="redis") as sources:
        (status,) = sources.statuses()
        assert (status.name, status.tickers, status.state) == ("redis", ("SPX", "NDX"), "stopped")


async def test_telemetry_is_written_while_redis_answers(tmp_path, redis, redis_url):
    async with assembled(tmp_path, redis_url, "SPX", gex_source="gexbot") as sources:
        task = asyncio.create_task(sources.report(lambda: None))
        async with asyncio.timeout(5):
            while not (fields := await redis.hgetall(keys.SOURCE_METRICS)):
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.wait({task})
    assert fields[b"gexbot:state"] == b"stopped"
    assert fields[b"gexbot:snapshots"] == b"0"
    assert b"gexbot:last_error" not in fields


@pytest.mark.usefixtures("redis")
async def test_three_boards_from_three_sources_in_one_process(tmp_path, redis_url):
    lever = Lever(cboe_chain())
    answer = json.dumps(GEXBOT_ANSWER | {"ticker": "QQQ", "timestamp": GEXBOT_QUOTE_S - 7_200}).encode()
    async with (
        open_http_server(lever.answer) as cboe,
        open_http_server(lambda _seen: web.Response(body=answer)) as gexbot,
        streamer_rig(
            tmp_path,
            redis_url,
            "SPX",
            "RUT",
            "QQQ",
            gex_source_map="RUT:cboe,QQQ:gexbot",
            cboe_api_url=cboe.url,
            gexbot_api_url=gexbot.url,
            gexbot_api_key=KEY,
        ) as rig,
    ):
        tickers = [parse_ticker(name) for name in ("SPX", "RUT", "QQQ")]
        sources = Sources(rig.runtime, tickers, rig.streamer, rng=random.Random(1), tell=rig.alarms.append)
        first, second = sources.polled
        async with running(first), running(second):
            await until(lambda: all(status.snapshots for status in sources.statuses()), timeout_s=30)
        latest = [await rig.runtime.snapshots.latest(ticker.name) for ticker in tickers]
        assert [snapshot.source for snapshot in latest] == ["simulated", "cboe", "gexbot"]
        assert [snapshot.delayed for snapshot in latest] == [False, True, False]
        assert set(rig.streamer.needed_symbols) == {"$SPX"}


APP = {"schwab_client_id": "a" * 32, "schwab_client_secret": "s" * 16}


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (APP, SchwabOnce),
        ({}, None),
        ({"gex_source": "cboe"}, CboeOnce),
        (APP | {"gex_source": "cboe"}, CboeOnce),
        ({"gex_source": "redis"}, None),
        ({"gex_source": "gexbot", "gex_source_map": "SPY:cboe"}, CboeOnce),
        ({"gex_source_map": "SPY:cboe"}, CboeOnce),
    ],
)
async def test_who_is_asked_for_a_ticker_that_nobody_follows(tmp_path, redis_url, values, asked):
    settings = StreamSettings(
        _env_file=None, redis_url=redis_url, schwab_token_path=tmp_path / "t" / "t.json", **values
    )
    async with open_runtime(settings, SystemClock(), tell=lambda _line: None) as runtime:
        found = on_demand_source(runtime, per_minute=3)
        assert (found and type(found._source)) is asked
        assert on_demand_source(runtime, per_minute=0) is None


async def test_a_running_stream_is_asked_beside_for_a_ticker_that_nobody_follows_and_shares_its_budget(
    tmp_path, redis, redis_url
):
    async with (
        streamer_rig(tmp_path, redis_url, "SPX", gex_live_options=100) as rig,
        on_demand_source(rig.runtime, per_minute=5) as demand,
    ):
        await until(lambda: rig.streamer.counters.snapshots, timeout_s=20)
        found = await demand.snapshot(parse_ticker("QQQ"))
        assert (found.ticker, found.source, found.on_demand.expiries) == ("QQQ", "simulated", 4)
        assert len(found.scopes["full"].expiries) == 4
        with pytest.raises(RequestError, match="ZZZZ"):
            await demand.snapshot(parse_ticker("ZZZZ"))
        assert await rig.runtime.snapshots.latest("QQQ") is None
        assert await redis.llen(keys.REQUESTS) >= rig.streamer.status().requests_used > 0
