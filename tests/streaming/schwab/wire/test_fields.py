import pytest

from streaming.schwab.wire import fields
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import FIELDS
from tests.data_builders.frames import equities, future_image, options
from tests.support.frames import rows_of


def test_every_table_has_as_many_numbers_as_the_guide():
    tables = (fields.EQUITIES, fields.OPTIONS, fields.FUTURES)
    assert [len(table) for table in tables] == [52, 56, 41]
    assert all(len(set(table)) == len(table) for table in tables)


@pytest.mark.parametrize(
    ("table", "name", "number"),
    [
        (fields.EQUITIES, "listing", 13),
        (fields.EQUITIES, "trade_ms", 35),
        (fields.OPTIONS, "volatility", 10),
        (fields.OPTIONS, "underlying_price", 35),
        (fields.OPTIONS, "settlement_type", 43),
        (fields.FUTURES, "quote_ms", 10),
        (fields.FUTURES, "active_symbol", 34),
        (fields.CHART_EQUITY, "bar_ms", 7),
        (fields.CHART_FUTURES, "bar_ms", 1),
    ],
)
def test_a_name_stands_at_its_number(table, name, number):
    assert table.index(name) == number


def test_requested_fields_ascend_and_start_with_the_symbol():
    for service, wanted in FIELDS.items():
        numbers = [int(number) for number in wanted.split(",")]
        assert numbers == sorted(set(numbers)), service
        assert numbers[0] == 0, service


def test_every_market_data_service_has_fields():
    assert set(FIELDS) == set(Service) - {Service.ADMIN}


def test_a_full_image_has_no_number_beyond_the_table():
    images = {
        "OPTIONS": rows_of(options())[0], "EQUITIES": rows_of(equities())[0], "FUTURES": future_image(),
    }  # fmt: skip
    for name, row in images.items():
        numbers = {int(number) for number in row if number.isdigit()}
        assert numbers <= set(range(1, len(getattr(fields, name)))), name
    assert {int(number) for number in images["OPTIONS"] if number.isdigit()} == set(range(1, len(fields.OPTIONS)))
    assert images["OPTIONS"][str(fields.OPTIONS.index("root"))] == "SPY"
    assert images["OPTIONS"][str(fields.OPTIONS.index("exercise_type"))] == "A"


def named(table, row):
    return {table[int(number)]: value for number, value in row.items() if number.isdigit()}


def test_an_equity_image_makes_sense_under_its_names():
    qqq = named(fields.EQUITIES, rows_of(equities())[0])
    assert qqq["low"] <= qqq["open"] <= qqq["high"]
    assert qqq["last"] - qqq["close"] == pytest.approx(qqq["net_change"])
    assert qqq["net_change"] / qqq["close"] * 100 == pytest.approx(qqq["net_percent_change"], abs=1e-4)
    assert (qqq["exchange_name"], qqq["description"], qqq["status"]) == ("Nasdaq", "QQQ fund", "Normal")
    assert (qqq["last_id"], qqq["ask_mic"], qqq["bid_mic"], qqq["last_mic"]) == ("D", "ARCX", "XNAS", "XADF")
    assert (qqq["high_52_week"], qqq["low_52_week"], qqq["shortable"]) == (756.0, 556.0, 1)


def test_an_option_image_makes_sense_under_its_names():
    call = named(fields.OPTIONS, rows_of(options())[0])
    assert (call["strike"], call["contract_type"], call["underlying"], call["root"]) == (770, "C", "SPY", "SPY")
    assert (call["expiration_year"], call["expiration_month"], call["expiration_day"]) == (2026, 8, 20)
    assert (call["delta"], call["gamma"], call["settlement_type"]) == (0.45, 0.117, "P")
    assert call["bid"] <= call["mark"] <= call["ask"]
    assert call["underlying_price"] - call["strike"] == pytest.approx(call["moneyness"])


def test_a_full_future_image_makes_sense_too():
    future = named(fields.FUTURES, future_image())
    assert future["low"] <= future["open"] <= future["high"]
    assert future["last"] - future["close"] == pytest.approx(future["net_change"])
    assert future["tick"] * future["multiplier"] == pytest.approx(future["tick_amount"])
    assert future["active_symbol"].startswith("/")
