import json

import pytest

from streaming.sim.rest.quote_payload import quote_of, quotes_body
from tests.data_builders import answers

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
