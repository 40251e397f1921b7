"""Forex and options on futures."""

from datetime import timedelta

import pytest

from streaming.sim.rest.quote_payload import quotes_body
from streaming.sim.stream.forex_rows import ForexRows
from streaming.sim.stream.future_option_rows import FutureOptionRows, parse_future_option

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
