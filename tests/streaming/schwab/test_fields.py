import json

import pytest

from streaming.schwab import fields
from streaming.schwab.fields import FIELDS, Service
from tests.support.frames import captured


def test_every_table_has_as_many_numbers_as_the_guide():
    tables = (fields.EQUITIES, fields.OPTIONS, fields.FUTURES, fields.FUTURES_OPTIONS, fields.FOREX)
    assert [len(table) for table in tables] == [52, 56, 41, 32, 30]
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
        (fields.FUTURES_OPTIONS, "open_interest", 18),
        (fields.FOREX, "quote_ms", 8),
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


def test_a_captured_full_image_has_no_number_beyond_the_table(shared_data):
    row = json.loads(captured(shared_data, "rth_2026-08-20_levelone_options")[0])["data"][0]["content"][0]
    numbers = {int(name) for name in row if name.isdigit()}
    assert numbers == set(range(1, len(fields.OPTIONS)))
    assert row[str(fields.OPTIONS.index("root"))] == "SPY"
    assert row[str(fields.OPTIONS.index("exercise_type"))] == "A"
