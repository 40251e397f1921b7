import json
from collections import Counter
from datetime import date, timedelta

import pytest

from streaming.sim.rest.chain_payload import ChainPayloads, TooBigError
from streaming.sim.rest.chain_query import ChainQuery
from tests.data_builders import answers
from tests.data_builders.chains import made

TODAY, FRIDAY = date(2026, 8, 20), date(2026, 8, 21)


def chain(market, **kwargs) -> dict:
    return json.loads(ChainPayloads(market).chain(ChainQuery(**({"symbol": "$SPX"} | kwargs))))


def contracts(body: dict) -> list[dict]:
    maps = (body["callExpDateMap"], body["putExpDateMap"])
    return [one for days in maps for strikes in days.values() for many in strikes.values() for one in many]


@pytest.fixture(scope="module")
def today(still) -> dict:
    return chain(still, from_date=TODAY, to_date=TODAY)


@pytest.fixture(scope="module")
def real() -> dict:
    return json.loads(made("spx_schwab.json").payload)


def test_the_envelope_has_the_keys_of_production(today, real):
    assert set(today) == set(real) | {"underlying"}
    assert today["status"] == "SUCCESS"
    assert today["underlying"] is None


def test_a_contract_has_the_keys_of_production_in_its_order(today, real):
    assert list(contracts(today)[0]) == list(contracts(real)[0])


def test_values_have_the_types_of_production(today, real):
    good = next(one for one in contracts(today) if one["volatility"] not in (-999.0, "NaN"))
    for name, value in contracts(real)[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        assert isinstance(good[name], int | float if number else type(value)), name


def test_maps_are_keyed_by_date_with_days_and_by_strike_with_a_decimal_point(today):
    assert list(today["callExpDateMap"]) == ["2026-08-20:0"]
    assert "6880.0" in today["callExpDateMap"]["2026-08-20:0"]
    assert today["numberOfContracts"] == len(contracts(today))


def test_two_roots_share_a_strike_on_a_third_friday(still):
    body = chain(still, from_date=FRIDAY, to_date=FRIDAY)
    both = body["callExpDateMap"]["2026-08-21:1"]["6900.0"]
    assert [(one["optionRoot"], one["settlementType"]) for one in both] == [("SPX", "A"), ("SPXW", "P")]
    assert {one["expirationDate"] for one in both} == {"2026-08-21T20:00:00.000+00:00"}


def test_failed_models_show_as_minus_999_or_nan(today):
    shown = Counter(str(one["volatility"]) for one in contracts(today) if one["volatility"] in (-999.0, "NaN"))
    assert set(shown) == {"-999.0", "NaN"}
    failed = next(one for one in contracts(today) if one["volatility"] == -999.0)
    assert (failed["delta"], failed["gamma"]) == (-999.0, -999.0)


def test_greeks_have_three_decimals_and_volatility_is_in_percent(today):
    at_the_money = today["callExpDateMap"]["2026-08-20:0"]["6880.0"][0]
    assert 5.0 < at_the_money["volatility"] < 40.0
    assert at_the_money["gamma"] == round(at_the_money["gamma"], 3) > 0.0
    assert at_the_money["delta"] == pytest.approx(0.5, abs=0.1)


def test_the_mark_is_between_bid_and_ask(today):
    for one in contracts(today):
        assert one["mark"] == pytest.approx((one["bid"] + one["ask"]) / 2.0, abs=0.006)


def test_the_underlying_comes_when_asked_for(still):
    body = chain(still, from_date=TODAY, to_date=TODAY, include_underlying=True)
    assert body["underlying"]["symbol"] == "$SPX"
    assert body["underlying"]["last"] == body["underlyingPrice"] == still.spot("SPX")


def test_strike_count_keeps_strikes_around_the_money(still):
    body = chain(still, from_date=TODAY, to_date=TODAY, strike_count=2)
    assert list(body["callExpDateMap"]["2026-08-20:0"]) == ["6875.0", "6880.0", "6885.0", "6890.0"]


@pytest.mark.parametrize(("kind", "low", "high"), [("OTM", 6880.0, 9e9), ("ITM", 0.0, 6879.9), ("SAK", 6880.1, 9e9)])
def test_a_range_keeps_one_side_of_the_calls(still, kind, low, high):
    body = chain(still, from_date=TODAY, to_date=TODAY, sides=("CALL",), range=kind)
    strikes = [one["strikePrice"] for one in contracts(body)]
    assert strikes
    assert low <= min(strikes) <= max(strikes) <= high


def test_one_side_can_be_left_out(still):
    body = chain(still, from_date=TODAY, to_date=TODAY, sides=("PUT",))
    assert body["callExpDateMap"] == {}
    assert {one["putCall"] for one in contracts(body)} == {"PUT"}


def test_a_whole_index_chain_is_too_big(still):
    with pytest.raises(TooBigError):
        chain(still)


@pytest.mark.parametrize("query", [{"symbol": "XYZ"}, {"symbol": "$SPX", "from_date": date(2030, 1, 1)}])
def test_unknown_symbols_and_empty_windows_fail_with_empty_maps(still, query):
    body = chain(still, **query)
    assert (body["status"], body["callExpDateMap"], body["putExpDateMap"]) == ("FAILED", {}, {})


def test_bodies_are_kept_for_a_second_and_made_anew_in_the_next(spx):
    payloads, query = ChainPayloads(spx), ChainQuery("$SPX", from_date=TODAY, to_date=TODAY)
    first = payloads.chain(query)
    assert payloads.chain(query) is first
    spx.advance(spx.now + timedelta(seconds=1))
    volumes = [
        sum(one["totalVolume"] for one in contracts(json.loads(body))) for body in (first, payloads.chain(query))
    ]
    assert volumes[0] < volumes[1]


def test_expirations_have_the_keys_of_production(still):
    real = json.loads(answers.expirations())
    ours = json.loads(ChainPayloads(still).expirations("$SPX"))
    assert set(ours) == set(real)
    assert list(ours["expirationList"][0]) == list(real["expirationList"][0])
    friday = [row for row in ours["expirationList"] if row["expirationDate"] == "2026-08-21"]
    assert [row["optionRoots"] for row in friday] == ["SPX", "SPXW"]
