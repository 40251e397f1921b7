"""Each source's line of `run_bot.py --check`."""

import json

import pytest
from aiohttp import web

from bot.check_sources import check_sources
from bot.settings import BotSettings
from streaming.clock import SystemClock
from tests.support.http import open_http_server
from tests.support.recordings import record
from tests.support.source_rigs import ALL_ZERO, GEXBOT_ANSWER, KEY


async def found(**values):
    return await check_sources(BotSettings(_env_file=None, **values), SystemClock())


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
    findings = await found(gex_feed_symbols="SPX,NDX", gex_source_map="SPY:cboe,RUT:redis")
    assert [finding.line for finding in findings] == [
        "ok    source schwab: SPX, NDX; at most 100 chain requests a minute.",
        "ok    source cboe: SPY; delayed quotes of cdn.cboe.com every 60 s.",
        "ok    source redis: RUT; written by another program.",
    ]


async def test_a_key_that_works_is_fine():
    finding = await asked(200)
    assert (finding.verdict, finding.status) == ("ok", 0)
    assert finding.sentence == "SPX, QQQ; asked of 127.0.0.1 every 2 s."


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
    assert finding.line == "ok    source replay: SPX; played from a recording."


@pytest.mark.parametrize(
    ("name", "said"),
    [("nowhere", "cannot be read: No such file"), ("empty", "holds no recording"), ("page.html", "is no recording")],
)
async def test_a_replay_of_what_is_no_recording_is_78_and_names_the_path(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("<html>")
    (finding,) = await found(gex_feed_symbols="SPX", gex_source="replay", gex_replay_path=tmp_path / name)
    assert (finding.verdict, finding.status) == ("FAIL", 78)
    assert said in finding.sentence
    assert str(tmp_path / name) in finding.sentence
