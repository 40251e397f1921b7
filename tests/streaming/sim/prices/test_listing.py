from datetime import UTC, date, datetime

import numpy as np

from streaming.sim.prices.instruments import FUTURES, UNDERLYINGS
from streaming.sim.prices.listing import active_contract, expiries_on, expiry_type, strike_ladder, third_friday

SPX, SPY = UNDERLYINGS["SPX"], UNDERLYINGS["SPY"]
THURSDAY = date(2026, 8, 20)


def test_the_first_expiry_is_today_and_all_are_in_order():
    listed = expiries_on(SPX, THURSDAY)
    assert listed[0].day == THURSDAY
    assert [item.day for item in listed] == sorted(item.day for item in listed)


def test_a_third_friday_has_an_am_and_a_pm_root():
    friday = [item for item in expiries_on(SPX, THURSDAY) if item.day == date(2026, 8, 21)]
    assert [(item.root, item.am) for item in friday] == [("SPX", True), ("SPXW", False)]
    assert friday[0].settle_at == datetime(2026, 8, 21, 13, 30, tzinfo=UTC)
    assert friday[1].settle_at == datetime(2026, 8, 21, 20, 0, tzinfo=UTC)


def test_an_am_contract_last_trades_the_day_before():
    am = next(item for item in expiries_on(SPX, THURSDAY) if item.am)
    assert am.last_trading_day == THURSDAY
    assert am.last_trading_ms == 1787270400000  # 20:00 in New York


def test_a_share_has_one_root():
    assert {item.root for item in expiries_on(SPY, THURSDAY)} == {"SPY"}


def test_no_expiry_falls_on_a_holiday():
    # 2026-11-26 is Thanksgiving
    days = {item.day for item in expiries_on(SPX, date(2026, 11, 23))}
    assert date(2026, 11, 27) in days
    assert date(2026, 11, 26) not in days


def test_a_third_friday_on_a_holiday_moves_to_the_session_before():
    assert third_friday(2026, 6) == date(2026, 6, 18)  # Juneteenth


def test_expiry_types_follow_the_calendar():
    assert expiry_type(date(2026, 8, 21)) == "S"
    assert expiry_type(date(2026, 8, 31)) == "M"
    assert expiry_type(date(2026, 9, 30)) == "Q"
    assert expiry_type(date(2026, 8, 25)) == "W"


def test_strikes_are_fine_near_spot_and_coarse_in_the_wings():
    ladder = strike_ladder(SPX, 6880.0, 0)
    assert 120 <= ladder.size <= 200
    steps = np.diff(ladder)
    assert steps[np.argmin(np.abs(ladder - 6880.0))] == 5.0
    assert steps[0] == 100.0


def test_far_expiries_have_fewer_strikes():
    assert strike_ladder(SPX, 6880.0, 90).size < strike_ladder(SPX, 6880.0, 3).size


def test_the_active_future_rolls_eight_days_before_expiry():
    es = FUTURES["/ES"]
    assert active_contract(es, date(2026, 9, 9)).symbol == "/ESU26"
    assert active_contract(es, date(2026, 9, 10)).symbol == "/ESZ26"
    assert active_contract(es, date(2026, 12, 11)).symbol == "/ESH27"
