"""streaming/exchange_days.py: the table is what the package `holidays` says, and is read by year and kind."""

from datetime import date

from streaming.exchange_days import TABLE, closed_days, short_days
from tests.support.exchange_table import table


def test_the_table_is_what_the_package_says_today():
    assert TABLE.read_text("utf-8") == table(), "python -m tests.support.exchange_table writes it anew"


def test_a_day_of_mourning_is_closed_and_a_day_before_a_holiday_is_short():
    assert closed_days(2025)[date(2025, 1, 9)] == "National Day of Mourning for former President Jimmy Carter"
    assert short_days(2026) == {
        date(2026, 11, 27): "Day after Thanksgiving Day",
        date(2026, 12, 24): "Christmas Eve",
    }


def test_a_year_outside_the_table_has_no_days():
    assert closed_days(1997) == short_days(2100) == {}
