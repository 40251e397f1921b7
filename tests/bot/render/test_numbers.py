import math
from datetime import UTC, datetime, timedelta

import pytest

from bot.render import numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.5, "+12.50"),
        (-1.8345612345, "−1.83"),
        (-0.05, "−0.05"),
        (0.0, "+0.00"),
        (-0.001, "+0.00"),
        (None, "—"),
        (math.nan, "—"),
    ],
)
def test_a_change_always_has_its_sign(value, text):
    assert numbers.signed(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(24950.0, "24950.00"), (None, "—"), (math.nan, "—"), (-1.0, "−1.00"), (-0.004, "0.00"), (1e300, "1.000e+300")],
)
def test_a_price_is_plain(value, text):
    assert numbers.price(value) == text


def test_a_percentage_is_of_a_fraction():
    assert numbers.percent(0.0005) == "+0.05%"
    assert numbers.percent(-0.00003) == "−0.00%"
    assert numbers.percent(0.0) == numbers.percent(-0.0) == "+0.00%"
    assert numbers.percent(None) == "—"


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.9, "7s"), (45, "45s"), (60, "1m"), (900, "15m"), (7300, "2h"), (200_000, "2d"), (-4, "0s")]
)
def test_an_age_has_its_largest_unit(seconds, text):
    assert numbers.age(seconds) == text


def test_how_long_ago_is_an_age_and_never_negative():
    now = datetime(2026, 7, 8, 15, 0, tzinfo=UTC)
    assert numbers.ago(now - timedelta(minutes=12), now) == "12m ago"
    assert numbers.ago(now + timedelta(seconds=2), now) == "0s ago"


def test_a_count_has_its_noun_in_the_right_number():
    assert [numbers.counted(count, "gap") for count in (0, 1, 2)] == ["0 gaps", "1 gap", "2 gaps"]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("call_wall", 25100.0, "25100"),
        ("put_wall", 24812.5, "24812.50"),
        ("zero_gamma", 24950.0, "24950.00"),
        ("spot", 25061.25, "25061.25"),
        ("max_pain", None, "—"),
    ],
)
def test_a_level_that_is_a_strike_has_no_decimals_of_its_own(name, value, text):
    assert numbers.level(name, value) == text
