from datetime import date

from streaming.sim.rest.market_hours import hours_body
from tests.data_builders.answers import closed_hours, open_hours


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
