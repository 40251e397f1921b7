"""Each source's line of `run_bot.py --check`."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from aiohttp import web

from bot.check.source_checks import check_sources
from bot.settings import BotSettings
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import SystemClock
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.market import Market
from tests.support.clock import ManualClock
from tests.support.http import open_http_server
from tests.support.recordings import record
from tests.support.snapshots import snapshot as plain_snapshot
from tests.support.source_rigs import ALL_ZERO, GEXBOT_ANSWER, KEY


def snapshot(*, ticker, asof, **marks):
    return msgspec.structs.replace(plain_snapshot(ticker, asof=asof), **marks)


def cboe_body(name):
    """CBOE's feed about a name: forty contracts of one expiry around 100, with calls and puts that do not cancel."""
    now = datetime.now(UTC)
    expiry = now + timedelta(days=14)
    options = [
        {
            "option": f"{name}{expiry:%y%m%d}{side}{strike * 1000:08d}", "iv": 0.2, "volume": 10.0 + worth,
            "open_interest": 100.0 + strike + worth, "bid": max(worth, 0.0) + 1.9, "ask": max(worth, 0.0) + 2.1,
        }
        for strike in range(90, 110)
        for side, worth in (("C", 100 - strike), ("P", strike - 100))
    ]  # fmt: skip
    data = {"options": options, "symbol": name, "current_price": 100.0, "close": 100.0}
    return json.dumps({"timestamp": f"{now:%Y-%m-%d %H:%M:%S}", "data": data}).encode()


async def found(redis=None, **values):
    return await check_sources(BotSettings(_env_file=None, **values), SystemClock(), redis)


async def asked(status, answer=GEXBOT_ANSWER):
    """The one line when GEXBot answers so."""
    body = json.dumps(answer).encode()
    async with open_http_server(lambda _seen: web.Response(status=status, body=body)) as http:
        (finding,) = await found(
            gex_feed_symbols="SPX,QQQ", gex_source="gexbot", gexbot_api_key=KEY, gexbot_api_url=http.url
        )
    assert len(http.seen) == 1
    return finding


async def test_every_source_that_a_ticker_comes_from_has_a_line_with_its_tickers():
    findings = await found(gex_feed_symbols="SPX,NDX", gex_source_map="RUT:redis")
    unproven = "live, unproven: it has not given figures in a session yet"
    assert [finding.line for finding in findings] == [
        f"ok    source schwab: SPX, NDX; {unproven}; at most 100 chain requests a minute.",
        "ok    source redis: RUT; written by another program, unproven: Redis cannot be asked.",
    ]


async def test_a_live_source_is_proven_by_its_last_good_day(redis):
    at = datetime(2026, 11, 20, 15, tzinfo=UTC)
    store = SnapshotStore(redis, clock=ManualClock(at))
    await store.put(snapshot(ticker="SPX", source="schwab", asof=at))
    (finding,) = await found(redis, gex_feed_symbols="SPX")
    assert "SPX; live, proven (last good day 2026-11-20);" in finding.sentence


async def test_a_local_schwab_is_simulated_and_an_absent_one_is_69():
    clock = SystemClock()
    async with open_sim(Market.generate(start_at=clock.now(), seed=1, always_open=True), clock) as sim:
        (finding,) = await found(gex_feed_symbols="SPX", schwab_api_url=sim.url)
        assert finding.sentence.startswith("SPX; simulated: a local Schwab plays a made-up market;")
    (finding,) = await found(gex_feed_symbols="SPX", schwab_api_url=sim.url)
    assert (finding.verdict, finding.status) == ("FAIL", 69)


@pytest.mark.parametrize(
    ("marks", "rung"),
    [
        ({"source": "x"}, "live"),
        ({"source": "x", "delayed": True}, "delayed"),
        ({"source": "simulated"}, "simulated"),
        ({"source": "file:2022-05-20"}, "simulated"),
    ],
)
async def test_what_another_program_writes_stands_where_it_says_itself(redis, marks, rung):
    await SnapshotStore(redis).put(snapshot(ticker="SPX", asof=SystemClock().now(), **marks))
    (finding,) = await found(redis, gex_source="redis", gex_feed_symbols="SPX")
    assert finding.sentence.startswith(f"SPX; {rung}, written by another program; newest quotes of ")


async def test_a_program_that_has_written_nothing_is_a_warning(redis):
    (finding,) = await found(redis, gex_source="redis", gex_feed_symbols="SPX")
    assert finding.verdict == "warn" and "gex:snapshot:SPX" in finding.sentence


async def from_cboe(answer, symbols="SPX"):
    async with open_http_server(answer) as http:
        findings = await found(gex_source="cboe", gex_feed_symbols=symbols, cboe_api_url=http.url)
    return findings, http


async def test_cboe_is_asked_for_one_file_of_each_ticker():
    def answer(seen):
        return web.Response(body=cboe_body("SPX" if "SPX" in seen.path else "QQQ"))

    findings, http = await from_cboe(answer, "SPX,QQQ")
    assert [finding.verdict for finding in findings] == ["ok"]
    assert findings[0].sentence.startswith("SPX, QQQ; delayed; from 127.0.0.1 every 60 s; newest quotes of ")
    assert [seen.path for seen in http.seen] == ["/_SPX.json", "/QQQ.json"]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (lambda _: web.Response(text="<html>a page</html>", content_type="text/html"), 69, "QQQ: "),
        (lambda _: web.Response(body=cboe_body("SPX")), 69, "is about SPX"),
        (lambda _: web.Response(status=404), 78, "does not know QQQ"),
        (lambda _: web.Response(status=503), 69, "has trouble"),
    ],
)
async def test_a_page_or_another_tickers_file_of_cboe_is_not_ok(answer, status, said):
    (finding,), _ = await from_cboe(answer, "QQQ")
    assert (finding.verdict, finding.status) == ("FAIL", status)
    assert said in finding.sentence and "<html>" not in finding.sentence


async def test_a_key_that_works_is_fine():
    finding = await asked(200)
    assert (finding.verdict, finding.status) == ("ok", 0)
    assert finding.sentence == (
        "SPX, QQQ; live, unproven: it has not given figures in a session yet; asked of 127.0.0.1 every 2 s."
    )


@pytest.mark.parametrize(
    ("status", "end", "said"),
    [(401, 77, "GEXBOT_API_KEY"), (403, 77, "subscription"), (404, 78, "does not know SPX"), (503, 69, "has trouble")],
)
async def test_a_question_that_fails_has_the_status_of_its_reason(status, end, said):
    finding = await asked(status)
    assert (finding.verdict, finding.status) == ("FAIL", end)
    assert said in finding.sentence


async def test_figures_that_are_all_zero_are_a_warning():
    finding = await asked(200, ALL_ZERO)
    assert (finding.verdict, finding.status) == ("warn", 0)


async def test_a_missing_key_is_78_and_names_the_setting_and_the_tickers():
    (finding,) = await found(gex_feed_symbols="SPX,QQQ", gex_source="gexbot")
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert finding.sentence.startswith("GEXBOT_API_KEY is not set. Set it in .env and restart")
    assert finding.sentence.endswith("or choose another source for SPX, QQQ in GEX_SOURCE_MAP.")


async def test_a_futures_ticker_at_cboe_is_78_with_what_to_do():
    (finding,) = await found(gex_source="cboe", gex_feed_symbols="SPX,NQ_NDX")
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert "NQ_NDX cannot come from cboe" in finding.sentence
    assert "Show NDX instead" in finding.sentence
    assert "NQ_NDX:schwab" in finding.sentence


@pytest.mark.parametrize("status", [200, 401, 503])
async def test_no_line_shows_the_key(status):
    assert KEY not in (await asked(status)).line


async def test_a_replay_of_a_recording_is_fine(tmp_path):
    (finding,) = await found(gex_feed_symbols="SPX", gex_source="replay", gex_replay_path=record(tmp_path))
    assert finding.line == "ok    source replay: SPX; replayed from a recording."


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere", "cannot be read: No such file"), ("empty", "holds no recording"), ("page.html", "is not a recording")],
)
async def test_a_replay_of_what_is_no_recording_is_78_and_names_the_path(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("<html>")
    (finding,) = await found(gex_feed_symbols="SPX", gex_source="replay", gex_replay_path=tmp_path / name)
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert said in finding.sentence
    assert str(tmp_path / name) in finding.sentence
