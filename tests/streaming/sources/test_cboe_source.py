"""streaming/sources/cboe_source.py; what it does with its server's answers: tests/conformance/sources."""

import json
from datetime import timedelta

import pytest

from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import ConfigurationError
from streaming.model import SCOPES
from streaming.sources.cboe_source import CboeSource, feed_symbol
from streaming.symbols import parse_ticker
from tests.support.http import open_http_server
from tests.support.source_rigs import Lever, cboe_chain, quick, running, surroundings
from tests.support.waiting import until


def source(redis, url, alarms, *names, maps=None):
    tickers = tuple(parse_ticker(name) for name in names)
    around = surroundings(redis, "cboe", alarms)
    return quick(
        CboeSource(
            tickers,
            url=url,
            scope="full",
            every_s=0.05,
            around=around,
            maps=DayMapStore(redis) if maps is None else maps,
        )
    )


@pytest.mark.parametrize(
    ("ticker", "symbol"), [("SPX", "_SPX"), ("$RUT.X", "_RUT"), ("SPY", "SPY"), ("VIX", "_VIX"), ("BRK.B", "BRK.B")]
)
def test_an_index_has_a_leading_underscore_in_the_feed(ticker, symbol):
    assert feed_symbol(parse_ticker(ticker)) == symbol


async def test_a_futures_ticker_alone_ends_it_with_what_to_do(redis):
    unable = source(redis, "http://127.0.0.1:1", [], "NQ")
    with pytest.raises(ConfigurationError, match="quotes no futures") as caught:
        await unable.run(lambda: None)
    assert "Show NDX instead" in caught.value.remedy
    assert unable.status().state == "needs_action"


async def test_a_futures_ticker_among_others_is_told_once_and_costs_only_itself(redis):
    lever, alarms = Lever(cboe_chain()), []
    async with open_http_server(lever.answer) as http:
        serving = source(redis, http.url, alarms, "RUT", "ES")
        async with running(serving):
            await until(lambda: serving.status().snapshots >= 1, timeout_s=20)
        assert {seen.path for seen in http.seen} == {"/_RUT.json"}
    assert serving.status().tickers == ("RUT", "ES_SPX")
    (alarm,) = alarms
    assert alarm.startswith("ES_SPX cannot come from cboe")


def feed_of(*strikes: int, sides: str = "CP", root: str = "SPXW") -> bytes:
    """A feed of one expiry some weeks ahead, for what has settled is not missed; calls and puts do not cancel."""
    expiry = SystemClock().now().date() + timedelta(days=20)
    same = {"iv": 0.2, "volume": 5, "bid": 1, "ask": 2}
    options = [
        {"option": f"{root}{expiry:%y%m%d}{side}{strike * 1000:08d}", "open_interest": interest} | same
        for strike in strikes
        for side, interest in (("C", 12), ("P", 10))
        if side in sides
    ]
    data = {"symbol": "^SPX", "current_price": 5660.0, "options": options}
    return json.dumps({"timestamp": f"{SystemClock().now():%Y-%m-%d %H:%M:%S}", "data": data}).encode()


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (feed_of(5660), "It has 1 of 11 calls"),
        (feed_of(*range(5600, 5710, 10), sides="P"), "only puts"),
        (feed_of(2000, 2010, root="RUT"), "None of its 4 contracts (RUT) is a standard one of SPX"),
    ],
)
async def test_a_feed_that_cannot_be_true_is_rejected_and_replaces_nothing(redis, odd, why):
    lever = Lever(feed_of(*range(5600, 5710, 10)))
    async with open_http_server(lever.answer) as http:
        serving = source(redis, http.url, [], "SPX")
        async with running(serving):
            await until(lambda: serving.status().snapshots >= 1, timeout_s=20)
            before = await SnapshotStore(redis).latest("SPX")
            lever.body = odd
            await until(lambda: serving.status().rejected >= 2, timeout_s=20)
            count = serving.status().snapshots
            assert why in serving.status().last_error
            assert (await SnapshotStore(redis).latest("SPX")).scopes == before.scopes
            lever.recovers()
            await until(lambda: serving.status().snapshots > count, timeout_s=20)
    assert (await SnapshotStore(redis).latest("SPX")).scopes["full"].contracts == 22


async def test_the_snapshot_of_a_whole_feed_has_every_scope_and_its_quote_time(redis):
    lever = Lever(cboe_chain())
    async with open_http_server(lever.answer) as http:
        serving = source(redis, http.url, [], "RUT")
        async with running(serving):
            await until(lambda: serving.status().snapshots >= 1, timeout_s=20)
    assert serving.status().quote_at.isoformat() == "2023-09-20T20:00:00+00:00"
    snapshot = await SnapshotStore(redis).latest("RUT")
    assert {name: bool(found.ladder) for name, found in snapshot.scopes.items()} == dict.fromkeys(SCOPES, True)
    assert (snapshot.source, snapshot.delayed, snapshot.spot) == ("cboe", True, 1806.125)


class Maps(list):
    async def put(self, made):
        self.append(made)


async def test_the_map_of_a_chain_is_stored_beside_its_snapshot(redis, monkeypatch):
    monkeypatch.setattr("streaming.engine.map_loop._FIRST_S", 0.05)
    maps = Maps()
    async with open_http_server(Lever(cboe_chain()).answer) as http:
        async with running(source(redis, http.url, [], "RUT", maps=maps)):
            await until(lambda: maps, timeout_s=20)
        seen = await SnapshotStore(redis).latest("RUT")
    assert [(made.ticker, made.asof_ms, made.spot) for made in maps] == [("RUT", seen.asof_ms, seen.spot)]
