"""streaming/sources/gexbot.py"""

import json
import logging

import pytest
from aiohttp import web
from pydantic import SecretStr

from streaming.errors import ConfigurationError, ContractError
from streaming.sources.gexbot import GexbotSource, gexbot_scope, parse_answer
from streaming.symbols import parse_ticker
from tests.support.http import open_http_server
from tests.support.source_rigs import GEXBOT_ANSWER, GEXBOT_QUOTE_S, KEY, running, surroundings
from tests.support.waiting import until

RECEIVED_MS = (GEXBOT_QUOTE_S + 1) * 1000


def parse(*, scope="full", **changes):
    payload = json.dumps(GEXBOT_ANSWER | changes).encode()
    return parse_answer(payload, ticker="SPX", scope=scope, received_ms=RECEIVED_MS)


def test_an_answer_becomes_a_snapshot_of_its_endpoints_scope():
    snapshot = parse(scope="zero")
    assert (snapshot.source, snapshot.scope, snapshot.delayed) == ("gexbot", "zero", False)
    assert (snapshot.asof_ms, snapshot.computed_ms) == (GEXBOT_QUOTE_S * 1000, RECEIVED_MS)
    assert (snapshot.spot, snapshot.major_pos_oi, snapshot.sum_gex_vol) == (6400.25, 6500.0, 1250.004)


def test_zeros_that_mean_absent_are_none_everywhere():
    snapshot = parse()
    assert (snapshot.ladder_split, snapshot.major_neg_oi) == (None, None)
    assert snapshot.strikes[0] == (6395.0, 10.5, -3.25, (9.0, 8.0, None, 6.0, 5.0))
    assert snapshot.max_priors[2] == (None, None)
    assert snapshot.scopes == {}


@pytest.mark.parametrize(
    ("said", "source"), [("simulated", "simulated"), ("file:2022-05-20", "file:2022-05-20"), ("schwab", "gexbot")]
)
def test_figures_that_another_gexcord_made_up_are_not_called_gexbots(said, source):
    assert parse(source=said).source == source


def test_the_vestigial_risk_reversal_means_nothing():
    assert not any("reversal" in name for name in parse().__struct_fields__)


@pytest.mark.parametrize(
    ("second", "state"),
    [
        (1_787_232_600, "warming"),  # 09:30 in New York
        (1_787_241_600, "live"),
        (1_787_255_700, "closing"),  # 15:55
        (1_787_256_000, "closed"),  # 16:00
    ],
)
def test_the_hour_decides_what_the_figures_are_worth(second, state):
    payload = json.dumps(GEXBOT_ANSWER | {"timestamp": second}).encode()
    assert parse_answer(payload, ticker="SPX", scope="full", received_ms=second * 1000).state == state


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timestamp": 0}, "does not say when"),
        ({"timestamp": None}, "does not say when"),
        ({"timestamp": GEXBOT_QUOTE_S + 3600}, "60 min ahead of this machine's clock"),
        ({"timestamp": (GEXBOT_QUOTE_S + 3600) * 1000}, "60 min ahead of this machine's clock"),
        ({"ticker": "NDX"}, "is about NDX"),
        ({"spot": 0}, "has no spot"),
    ],
)
def test_what_is_not_about_this_ticker_and_instant_is_rejected(changes, said):
    with pytest.raises(ContractError, match=said):
        parse(**changes)


def test_the_widest_scope_of_gexbot_is_full():
    assert [gexbot_scope(scope) for scope in ("zero", "one", "full", "all")] == ["zero", "one", "full", "full"]


def source(redis, url, *, key=KEY, alarms=None):
    return GexbotSource(
        (parse_ticker("NQ"),),
        key=None if key is None else SecretStr(key),
        url=url,
        scope="one",
        every_s=0.05,
        around=surroundings(redis, "gexbot", alarms if alarms is not None else []),
    )


async def test_without_a_key_it_ends_at_once_and_says_what_to_set(redis):
    unable = source(redis, "http://127.0.0.1:1", key=None)
    with pytest.raises(ConfigurationError, match="GEXBOT_API_KEY is not set") as caught:
        await unable.run(lambda: None)
    assert "NQ_NDX" in caught.value.remedy
    assert unable.status().state == "needs_action"


@pytest.mark.parametrize(("base", "bearer"), [("/v2", True), ("", False)])
async def test_the_key_travels_as_each_form_of_the_api_wants_it_and_is_in_no_log(redis, caplog, base, bearer):
    caplog.set_level(logging.DEBUG)
    answer = json.dumps(GEXBOT_ANSWER | {"ticker": "NQ_NDX"}).encode()
    async with open_http_server(lambda _seen: web.Response(body=answer)) as http:
        asking = source(redis, f"{http.url}{base}")
        async with running(asking):
            await until(lambda: asking.status().snapshots > 0)
    seen = http.seen[0]
    assert seen.path == f"{base}/NQ_NDX/classic/one"
    assert seen.headers.get("Authorization") == (f"Bearer {KEY}" if bearer else None)
    assert seen.query == ({} if bearer else {"key": KEY})
    assert KEY not in "".join(record.getMessage() for record in caplog.records if record.name != "aiohttp.access")


async def test_a_server_that_is_away_is_named_without_its_address(redis):
    asking = source(redis, "http://127.0.0.1:1")
    async with running(asking):
        await until(lambda: asking.status().errors > 0)
        assert asking.status().last_error == "GEXBot cannot be reached (ConnectError)."
