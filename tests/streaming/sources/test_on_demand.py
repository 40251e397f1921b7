"""streaming/sources/on_demand.py; which source is asked: tests/streaming/streamer/test_source_table.py."""

import asyncio
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from streaming.bus import keys
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.errors import ContractError, OperatorError, RequestError, TransientError
from streaming.model import OnDemandMark
from streaming.schwab.rest.bodies import ChainDocument
from streaming.settings import StreamSettings
from streaming.sources import on_demand
from streaming.sources.on_demand import KEPT_S, NEAREST, CboeOnce, OnDemand, SchwabOnce
from streaming.symbols import parse_ticker
from tests.support.clock import ManualClock
from tests.support.host import make_snapshot
from tests.support.http import open_http_server
from tests.support.schwab_chains import chain_document, contract
from tests.support.source_rigs import Lever, cboe_chain

TSLA = parse_ticker("TSLA")
MARK = OnDemandMark(asked_ms=1_787_233_200_000, expiries=4)


class Source:
    """Answers when told to; `error` is raised instead."""

    def __init__(self):
        self.asked, self.error, self.gate = [], None, None

    async def ask(self, ticker):
        self.asked.append(ticker.name)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return make_snapshot(ticker.name, on_demand=MARK)


@asynccontextmanager
async def desk(redis, source, *, per_minute=3, clock=None):
    async with OnDemand(source, redis, clock or ManualClock(), per_minute=per_minute) as demand:
        yield demand


async def test_whoever_asks_within_a_minute_gets_the_same_answer_and_no_board_or_history_does(redis):
    source = Source()
    async with desk(redis, source) as demand:
        found = await demand.snapshot(TSLA)
        assert found.on_demand == MARK
        assert (await demand.snapshot(TSLA), await demand.kept(TSLA)) == (found, found)
    assert source.asked == ["TSLA"]
    assert await redis.keys("*") == [keys.asked("TSLA").encode()]
    assert 0 < await redis.ttl(keys.asked("TSLA")) <= KEPT_S == 60
    assert await SnapshotStore(redis).latest("TSLA") is None


async def test_several_askers_share_one_request_and_one_who_leaves_costs_the_others_nothing(redis):
    source = Source()
    source.gate = asyncio.Event()
    async with desk(redis, source) as demand:
        askers = [asyncio.create_task(demand.snapshot(TSLA)) for _ in range(3)]
        while not source.asked:
            await asyncio.sleep(0.001)
        askers[0].cancel()
        await asyncio.wait(askers[:1])
        source.gate.set()
        assert [found.ticker for found in await asyncio.gather(*askers[1:])] == ["TSLA", "TSLA"]
    assert source.asked == ["TSLA"]


async def test_no_more_tickers_a_minute_than_the_setting_says(redis):
    source, clock = Source(), ManualClock()
    async with desk(redis, source, per_minute=2, clock=clock) as demand:
        await demand.snapshot(TSLA)
        clock.advance(20)
        await demand.snapshot(parse_ticker("AMD"))
        with pytest.raises(TransientError, match="Too many") as caught:
            await demand.snapshot(parse_ticker("F"))
        assert caught.value.remedy == "Try again in 40 s."
        clock.advance(40)
        assert (await demand.snapshot(parse_ticker("F"))).ticker == "F"
    assert source.asked == ["TSLA", "AMD", "F"]


async def test_one_ticker_is_asked_for_after_another(redis):
    source = Source()
    source.gate = asyncio.Event()
    async with desk(redis, source) as demand:
        askers = [asyncio.create_task(demand.snapshot(parse_ticker(name))) for name in ("TSLA", "AMD")]
        while not source.asked:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
        assert source.asked == ["TSLA"]
        source.gate.set()
        await asyncio.gather(*askers)
    assert source.asked == ["TSLA", "AMD"]


async def test_a_ticker_that_the_source_does_not_know_is_not_asked_for_again_for_ten_minutes(redis):
    source, clock = Source(), ManualClock()
    source.error = RequestError("Schwab does not know TSLA.")
    async with desk(redis, source, clock=clock) as demand:
        for _ in range(5):
            with pytest.raises(RequestError, match="does not know"):
                await demand.snapshot(TSLA)
        assert source.asked == ["TSLA"]
        clock.advance(601)
        source.error = None
        assert (await demand.snapshot(TSLA)).ticker == "TSLA"


@pytest.mark.parametrize("error", [TransientError("away"), OperatorError("refused"), ContractError("nonsense")])
async def test_any_other_failure_reaches_the_asker_and_the_next_one_tries_again(redis, error):
    source = Source()
    source.error = error
    async with desk(redis, source) as demand:
        with pytest.raises(type(error)):
            await demand.snapshot(TSLA)
        source.error = None
        assert (await demand.snapshot(TSLA)).ticker == "TSLA"


async def test_a_source_that_hangs_is_given_up(redis, monkeypatch):
    monkeypatch.setattr(on_demand, "_WITHIN_S", 0.01)
    source = Source()
    source.gate = asyncio.Event()
    async with desk(redis, source) as demand:
        with pytest.raises(TransientError, match="No answer about TSLA"):
            await demand.snapshot(TSLA)


async def test_leaving_ends_what_is_being_asked(redis):
    source = Source()
    source.gate = asyncio.Event()
    async with desk(redis, source) as demand:
        asker = asyncio.create_task(demand.snapshot(TSLA))
        while not source.asked:
            await asyncio.sleep(0.001)
    await asyncio.wait({asker}, timeout=1)
    assert asker.cancelled()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("on demand")] == []


async def test_an_entry_of_another_shape_is_asked_for_anew(redis):
    await redis.set(keys.asked("TSLA"), b'{"ticker": 7}')
    source = Source()
    async with desk(redis, source) as demand:
        assert (await demand.snapshot(TSLA)).ticker == "TSLA"
    assert source.asked == ["TSLA"]


async def test_a_file_of_cboe_becomes_a_marked_snapshot_of_all_expiries():
    async with open_http_server(Lever(cboe_chain()).answer) as http:
        settings = StreamSettings(_env_file=None, cboe_api_url=http.url)
        found = await CboeOnce(settings, SystemClock()).ask(parse_ticker("RUT"))
    assert (found.source, found.delayed, found.spot) == ("cboe", True, 1806.125)
    assert found.on_demand.expiries is None
    assert [seen.path for seen in http.seen] == ["/_RUT.json"]


async def test_cboe_has_no_file_of_it():
    lever = Lever(b"")
    lever.status = 404
    async with open_http_server(lever.answer) as http:
        settings = StreamSettings(_env_file=None, cboe_api_url=http.url)
        with pytest.raises(RequestError, match="CBOE does not know TSLA"):
            await CboeOnce(settings, SystemClock()).ask(TSLA)


TODAY = date(2026, 8, 20)


class Rest:
    """TSLA at 250 with a strike above and below, on each of some days."""

    source = "schwab"

    def __init__(self, *days):
        self.days, self.asked = days, []
        self.ex_dividend = None

    async def ex_dividends(self, symbols):
        if self.ex_dividend is None:
            raise TransientError("away")
        return dict.fromkeys(symbols, (TODAY, self.ex_dividend))

    async def expirations(self, symbol):
        self.asked.append(symbol)
        return list(self.days)

    async def chain(self, symbol, expiry, *, strikes=0):
        self.asked.append(expiry)
        rows = [
            contract(f"TSLA  {expiry:%y%m%d}{side}{strike:08d}", totalVolume=volume)
            for side, volume in (("C", 30), ("P", 10))
            for strike in (245_000, 255_000)
        ]
        return ChainDocument(chain_document(*rows, symbol="TSLA", underlyingPrice=250.0), strikes)


async def test_schwab_is_asked_for_the_nearest_expiries_alone_and_the_mark_says_so():
    days = [TODAY + timedelta(days=ahead) for ahead in (-1, 1, 8, 15, 22, 29)]
    rest = Rest(*days)
    found = await SchwabOnce(rest, StreamSettings(_env_file=None), ManualClock()).ask(TSLA)
    assert rest.asked == ["TSLA", *days[1 : NEAREST + 1]]
    assert found.on_demand.expiries == NEAREST == 4
    assert (found.ticker, found.spot, found.source, found.delayed) == ("TSLA", 250.0, "schwab", False)
    assert found.scopes["full"].expiries == tuple(day.isoformat() for day in days[1:5])
    assert found.scopes["full"].contracts == 16


async def test_with_few_expiries_nothing_is_left_out():
    rest = Rest(TODAY + timedelta(days=1))
    found = await SchwabOnce(rest, StreamSettings(_env_file=None), ManualClock()).ask(TSLA)
    assert (found.on_demand.expiries, found.ex_dividend_date) == (None, None), "its quotes were away"


async def test_the_next_ex_dividend_date_is_asked_for_too():
    rest = Rest(TODAY + timedelta(days=1))
    rest.ex_dividend = TODAY + timedelta(days=1)
    found = await SchwabOnce(rest, StreamSettings(_env_file=None), ManualClock()).ask(TSLA)
    assert found.ex_dividend_date == rest.ex_dividend.isoformat()


async def test_a_share_without_options_is_the_callers_move():
    with pytest.raises(RequestError, match="lists no options of TSLA"):
        await SchwabOnce(Rest(TODAY - timedelta(days=1)), StreamSettings(_env_file=None), ManualClock()).ask(TSLA)
