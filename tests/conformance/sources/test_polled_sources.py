"""Sources that ask a server: politeness, refusals, and two processes at once. For cboe and gexbot."""

import asyncio
import gzip
import json
import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr

from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.sources.cboe_source import CboeSource
from streaming.sources.gexbot import GexbotSource
from streaming.symbols import parse_ticker
from tests.support.http import open_http_server
from tests.support.source_rigs import (
    EVERY_S,
    GEXBOT_ANSWER,
    KEY,
    Lever,
    cboe_chain,
    quick,
    running,
    surroundings,
)
from tests.support.waiting import until

NAMES = ("cboe", "gexbot")


class Desk:
    """Sources of one kind on one local server."""

    def __init__(self, name, http, lever, redis):
        self.name, self.http, self.lever, self.redis = name, http, lever, redis
        self.alarms = []

    @property
    def ticker(self):
        return "RUT" if self.name == "cboe" else "SPX"

    def source(self, *tickers, owner="one", every_s=EVERY_S, ttl_s=1.0):
        around = surroundings(self.redis, self.name, self.alarms, owner=owner, ttl_s=ttl_s)
        plan = {"url": self.http.url, "scope": "full", "every_s": every_s, "around": around}
        parsed = tuple(parse_ticker(name) for name in tickers or (self.ticker,))
        if self.name == "cboe":
            return quick(CboeSource(parsed, maps=DayMapStore(self.redis), **plan))
        return quick(GexbotSource(parsed, key=SecretStr(KEY), **plan))

    async def latest(self, ticker=None):
        return await SnapshotStore(self.redis).latest(ticker or self.ticker)


@pytest.fixture
def desk_of(redis):
    @asynccontextmanager
    async def opened(name, **options):
        body = cboe_chain() if name == "cboe" else json.dumps(GEXBOT_ANSWER).encode()
        lever = Lever(body, **options)
        async with open_http_server(lever.answer) as http:
            yield Desk(name, http, lever, redis)

    return opened


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [401, 403])
async def test_s20_a_refusal_is_told_once_with_what_to_do_and_recovered_from(desk_of, name, status):
    async with desk_of(name) as desk:
        desk.lever.status = status
        source = desk.source()
        async with running(source) as task:
            await until(lambda: source.status().errors >= 3)
            assert source.status().state == "needs_action"
            (alarm,) = desk.alarms
            assert f"HTTP {status}" in alarm
            assert ("GEXBOT_API_KEY" if name == "gexbot" else "CBOE_POLL_SECONDS") in alarm
            assert KEY not in alarm
            desk.lever.recovers()
            await until(lambda: source.status().state == "live")
            assert not task.done()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("status", [400, 404])
async def test_s21_an_unknown_ticker_stops_only_itself(desk_of, name, status):
    async with desk_of(name) as desk:
        desk.lever.statuses["/WXYZ" if name == "gexbot" else "/WXYZ.json"] = status
        source = desk.source("WXYZ", desk.ticker)
        async with running(source):
            await until(lambda: source.status().snapshots >= 3, timeout_s=20)
            assert source.status().errors == 1
            assert "WXYZ" in source.status().last_error
            assert source.status().state == "live"
            (alarm,) = desk.alarms
            assert "GEX_SOURCE_MAP" in alarm
            asked = [seen for seen in desk.http.seen if "WXYZ" in seen.path]
            assert len(asked) == 1


@pytest.mark.parametrize("name", NAMES)
async def test_s22_too_many_requests_are_followed_by_fewer(desk_of, name):
    async with desk_of(name) as desk:
        desk.lever.status, desk.lever.headers = 429, {"Retry-After": "1"}
        source = desk.source()
        async with running(source):
            await until(lambda: source.status().errors == 1)
            began_s, asked = time.monotonic(), len(desk.http.seen)
            desk.lever.recovers()
            await until(lambda: len(desk.http.seen) > asked)
            assert time.monotonic() - began_s >= 0.9
            await until(lambda: source.status().snapshots >= 1, timeout_s=20)
            assert source.status().state == "live"
            assert desk.alarms == []


@pytest.mark.parametrize("name", NAMES)
async def test_s23_two_processes_ask_once_and_one_takes_over_from_the_other(desk_of, name):
    async with desk_of(name) as desk:
        first, second = desk.source(owner="one", ttl_s=600), desk.source(owner="two", ttl_s=600)
        async with running(first) as task:
            await until(lambda: first.status().snapshots >= 1, timeout_s=20)
            async with running(second):
                await until(lambda: second.status().state == "standby", timeout_s=20)
                assert second.status().snapshots == 0
                task.cancel()
                await until(lambda: second.status().snapshots >= 1, timeout_s=20)


@pytest.mark.parametrize("name", NAMES)
async def test_s30_who_asks_seldom_is_not_taken_for_dead(desk_of, name):
    async with desk_of(name) as desk:
        first, second = desk.source(owner="one", every_s=60), desk.source(owner="two")
        async with running(first):
            await until(lambda: first.status().snapshots >= 1, timeout_s=20)
            async with running(second):
                await asyncio.sleep(2.5)  # two and a half times as long as a claim lasts by itself
                assert second.status().state == "standby"
                assert second.status().snapshots == 0


@pytest.mark.parametrize("name", NAMES)
async def test_s24_one_ticker_at_a_time_is_asked_for(redis, name, request):
    asking, most = 0, 0
    body = json.dumps(GEXBOT_ANSWER).encode()

    async def slow(_seen):
        nonlocal asking, most
        asking += 1
        most = max(most, asking)
        await asyncio.sleep(0.03)
        asking -= 1
        return web.Response(body=body)

    async with open_http_server(slow) as http:
        source = Desk(name, http, None, redis).source("SPX", "NDX", "SPY", "QQQ")
        async with running(source):
            await until(lambda: len(http.seen) >= 12, timeout_s=20)
    assert most == 1
    assert len({seen.path for seen in http.seen[:4]}) == 4


@pytest.mark.parametrize("name", NAMES)
async def test_s25_the_pace_is_kept(desk_of, name):
    async with desk_of(name) as desk:
        source = desk.source(every_s=0.4)
        async with running(source):
            await until(lambda: source.status().snapshots >= 1, timeout_s=20)
            asked = len(desk.http.seen)
            await asyncio.sleep(1.0)
            assert 1 <= len(desk.http.seen) - asked <= 3


@pytest.mark.parametrize("name", NAMES)
async def test_s26_a_redirect_is_not_followed_with_a_key(desk_of, name):
    async with desk_of(name) as desk, open_http_server(lambda _seen: web.Response(body=b"{}")) as elsewhere:
        desk.lever.status, desk.lever.headers = 302, {"Location": f"{elsewhere.url}/SPX"}
        source = desk.source()
        async with running(source):
            await until(lambda: source.status().rejected >= 2)
        assert elsewhere.seen == []


async def test_s27_what_has_not_changed_is_not_downloaded_again(desk_of):
    async with desk_of("cboe", etag='"a1"') as desk:
        source = desk.source()
        async with running(source):
            await until(lambda: len(desk.http.seen) >= 4, timeout_s=20)
            assert source.status().snapshots == 1
            assert source.status().state == "live"
            assert desk.http.seen[-1].headers["If-None-Match"] == '"a1"'


async def test_s28_garbage_is_not_remembered_as_the_known_version(desk_of):
    async with desk_of("cboe", etag='"a1"') as desk:
        source = desk.source()
        async with running(source):
            await until(lambda: source.status().snapshots == 1, timeout_s=20)
            desk.lever.body, desk.lever.etag = b"{}", '"b2"'
            await until(lambda: source.status().rejected >= 2, timeout_s=20)
            assert "If-None-Match" not in desk.http.seen[-1].headers


async def test_s31_a_packed_chain_is_as_good_as_a_plain_one(desk_of):
    async with desk_of("cboe") as desk:
        source = desk.source()
        async with running(source):
            await until(lambda: source.status().snapshots == 1, timeout_s=20)
            plain = await desk.latest()
            desk.lever.headers = {"Content-Encoding": "gzip"}
            desk.lever.body = gzip.compress(desk.lever.good)
            asked = len(desk.http.seen)
            await until(lambda: len(desk.http.seen) > asked + 2, timeout_s=20)
            count = source.status().snapshots
            await until(lambda: source.status().snapshots > count, timeout_s=20)
        assert (await desk.latest()).scopes["all"].ladder == plain.scopes["all"].ladder
        assert source.status().rejected == 0
        assert "gzip" in desk.http.seen[-1].headers["Accept-Encoding"]


async def test_s29_a_chain_of_another_underlying_is_rejected(desk_of):
    async with desk_of("cboe") as desk:
        source = desk.source("SPY")
        async with running(source):
            await until(lambda: source.status().rejected >= 1, timeout_s=20)
            assert source.status().last_error == "CBOE's chain of SPY: It is about RUT, not SPY."
            assert await desk.latest("SPY") is None
