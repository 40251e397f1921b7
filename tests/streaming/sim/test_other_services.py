"""Forex, options on futures, screeners and account activity."""

from datetime import timedelta

import pytest

from streaming.sim.rest.quote_payload import quotes_body
from streaming.sim.stream.activity_rows import ActivityRows
from streaming.sim.stream.forex_rows import ForexRows
from streaming.sim.stream.future_option_rows import FutureOptionRows, parse_future_option
from streaming.sim.stream.screener_rows import ScreenerRows, parse_screen

EVERY = frozenset(map(str, range(60)))


def test_a_currency_pair_moves_within_its_day(spx):
    rows = ForexRows(spx)
    before = rows.live(("EUR/USD",), EVERY)["EUR/USD"]
    lasts = set()
    for _ in range(90):
        spx.advance(spx.now + timedelta(seconds=1))
        lasts.add(spx.forex["EUR/USD"].last)
    assert 1 < len(lasts) < 40
    row = rows.live(("EUR/USD",), EVERY)["EUR/USD"]
    assert row["11"] <= row["3"] <= row["10"]
    assert round(row["2"] - row["1"], 6) == 0.0001
    assert row["8"] == before["8"] + 90_000
    assert row["6"] > before["6"]
    assert row["17"] == pytest.approx(row["16"] / rows.fixed("EUR/USD")["12"], abs=1e-6)
    assert rows.live(("EUR/XXX",), EVERY) == {}
    assert rows.fixed("EUR/XXX") is None


def test_pairs_have_quotes_too(spx):
    quote = quotes_body(spx, ("USD/JPY",), frozenset())["USD/JPY"]
    assert quote["assetMainType"] == "FOREX"
    assert quote["quote"]["bidPrice"] < quote["quote"]["askPrice"]


@pytest.mark.parametrize("key", ["./OZCZ26C565", "/ESU26", "./ESU26X6900", "./ES26C6900", "SPY"])
def test_what_names_no_simulated_option_on_a_future_is_unknown(key):
    assert parse_future_option(key) is None


def test_options_on_futures_obey_parity_with_the_future(spx):
    rows, future = FutureOptionRows(spx), spx.tape("/ES").last
    live = rows.live(("./ESU26C6900", "./ESU26P6900", "./ESU26C6850.5"), EVERY)
    call, put = live["./ESU26C6900"]["3"], live["./ESU26P6900"]["3"]
    assert call - put == pytest.approx(future - 6900.0, rel=0.01, abs=0.2)
    assert live["./ESU26C6850.5"]["3"] > call
    fixed = rows.fixed("./ESU26C6900")
    assert (fixed["24"], fixed["25"], fixed["28"]) == ("/ESU26", 6900, "C")
    assert fixed["14"] > 0


def test_expired_and_absurd_options_on_futures_are_unknown(spx):
    assert FutureOptionRows(spx).live(("./ESM26C6900", "./ESU26C1"), EVERY) == {}


@pytest.mark.parametrize("key", ["NASDAQ_VOLUME_7", "MOON_VOLUME_0", "NASDAQ_JOY_0", "OPTION_CALL_VOLUME_0", "NASDAQ"])
def test_screens_that_do_not_exist_are_unknown(key):
    assert parse_screen("SCREENER_EQUITY", key) is None


def test_a_prefix_may_hold_a_dot_and_a_sort_underscores():
    screen = parse_screen("SCREENER_EQUITY", "$SPX.X_AVERAGE_PERCENT_VOLUME_30")
    assert (screen.prefix, screen.sort, screen.minutes) == ("$SPX.X", "AVERAGE_PERCENT_VOLUME", 30)


def test_a_screen_lists_the_busiest_first(still):
    row = ScreenerRows(still, "SCREENER_OPTION").live(("OPTION_PUT_VOLUME_0",), EVERY)["OPTION_PUT_VOLUME_0"]
    volumes = [item["volume"] for item in row["4"]]
    assert len(volumes) == 10
    assert volumes == sorted(volumes, reverse=True)
    assert {item["symbol"][12] for item in row["4"]} == {"P"}
    assert (row["2"], row["3"]) == ("VOLUME", 0)
    nasdaq = ScreenerRows(still, "SCREENER_EQUITY").live(("NASDAQ_VOLUME_0",), EVERY)["NASDAQ_VOLUME_0"]
    assert [item["symbol"] for item in nasdaq["4"]] == ["QQQ"]
    assert nasdaq["4"][0]["marketShare"] == 100


def test_winners_and_losers_come_from_opposite_ends(still):
    rows = ScreenerRows(still, "SCREENER_EQUITY")
    up, down = (
        [item["symbol"] for item in rows.live((key,), EVERY)[key]["4"]]
        for key in ("EQUITY_ALL_PERCENT_CHANGE_UP_0", "EQUITY_ALL_PERCENT_CHANGE_DOWN_0")
    )
    assert up == down[::-1]


def test_a_screen_is_made_anew_every_five_seconds(spx):
    rows, key = ScreenerRows(spx, "SCREENER_OPTION"), "OPTION_ALL_TRADES_0"
    stamps = set()
    for _ in range(10):
        spx.advance(spx.now + timedelta(seconds=1))
        stamps.add(rows.live((key,), EVERY)[key]["1"])
    assert len(stamps) in {2, 3}


def test_account_activity_has_a_nightly_row_that_means_nothing(spx):
    rows = ActivityRows(spx)
    rows.tell("OrderCreated", '{"SchwabOrderID":"1"}')
    seen = rows.told()
    spx.nights += 1
    assert [(item["seq"], item["2"]) for item in rows.since(seen)] == [(2, "Feature not supported")]
    assert rows.first()["2"] == "SUBSCRIBED"
