"""None"""

import json
from datetime import date

import pytest

from streaming.schwab.rest.bodies import parse_ex_dividends
from streaming.sim.rest.quote_payload import hours_body, quote_of, quotes_body
from tests.data_builders import answers
from tests.data_builders.answers import closed_hours, open_hours

PRODUCTION = {
    "$SPX": answers.index_quote,
    "SPY": answers.share_quote,
    "SPXW  260820C06880000": answers.option_quote,
}


@pytest.mark.parametrize("symbol", PRODUCTION)
def test_quotes_have_the_keys_of_production(still, symbol):
    real = next(iter(json.loads(PRODUCTION[symbol]()).values()))
    ours = quote_of(still, symbol)
    assert set(ours) == set(real)
    for block in ("quote", "reference"):
        assert set(ours[block]) == set(real[block]), block


def test_shares_name_their_ex_dividend_days_and_indexes_none(still):
    body = json.dumps(quotes_body(still, ["SPY", "$SPX"], frozenset({"fundamental"}))).encode()
    assert parse_ex_dividends(body) == {"SPY": (date(2026, 6, 18), date(2026, 9, 18)), "$SPX": ()}


def test_a_future_has_the_keys_of_the_official_example(still):
    real = next(iter(json.loads(answers.future_quote()).values()))
    ours = quote_of(still, "/ES")
    assert set(ours) == set(real)
    assert set(ours["reference"]) == set(real["reference"])
    assert set(ours["quote"]) == set(real["quote"]) | {"quotedInSession"}
    assert ours["reference"]["futureActiveSymbol"] == "/ESU26"


def test_unknown_symbols_are_listed_beside_the_good_ones(still):
    body = quotes_body(still, ["SPY", "XYZ"], frozenset())
    assert set(body) == {"SPY", "errors"}
    assert body["errors"]["invalidSymbols"] == ["XYZ"]


def test_only_the_asked_blocks_are_sent(still):
    quote = quotes_body(still, ["SPY"], frozenset({"quote"}))["SPY"]
    assert "quote" in quote
    assert "reference" not in quote


def test_hours_of_an_open_day_are_those_of_production():
    day = date(2025, 7, 21)
    ours, real = hours_body(("option", "equity"), day), open_hours(day)
    assert {market: ours[market] for market in real} == real


def test_hours_of_a_closed_day_are_those_of_production():
    day = date(2025, 7, 20)
    real = closed_hours(day)
    assert hours_body(tuple(real), day) == real


def test_a_half_day_ends_at_one():
    regular = hours_body(("equity",), date(2026, 11, 27))["equity"]["EQ"]["sessionHours"]["regularMarket"]
    assert regular[0]["end"] == "2026-11-27T13:00:00-05:00"
