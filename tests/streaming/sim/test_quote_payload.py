import json

import pytest

from streaming.sim.quote_payload import quote_of, quotes_body

FIXTURES = {
    "$SPX": "quote_SPX_index_2025-01-30.json",
    "SPY": "quote_NVDA_2025-01-30.json",
    "SPXW  260820C06880000": "quote_META_option_2025-01-24.json",
}


@pytest.mark.parametrize("symbol", FIXTURES)
def test_quotes_have_the_keys_of_production(still, shared_data, symbol):
    path = shared_data / "schwab" / "rest" / "fixtures_2025" / FIXTURES[symbol]
    real = next(iter(json.loads(path.read_text()).values()))
    ours = quote_of(still, symbol)
    assert set(ours) == set(real)
    for block in ("quote", "reference"):
        assert set(ours[block]) == set(real[block]), block


def test_a_future_has_the_keys_of_the_official_example(still, shared_data):
    text = (shared_data / "schwab" / "rest" / "official_openapi_examples.json").read_text()
    start = text.index('"/ESZ21": {') + len('"/ESZ21": ')
    real, _ = json.JSONDecoder().raw_decode(text[start:])
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
