"""Scopes: which dates, from when to when."""

from datetime import UTC, date, datetime, timedelta

import numpy as np

from streaming.calendar import settle_at
from streaming.gex.pricing.lines import sort_lines
from streaming.gex.pricing.scopes import slice_scopes
from tests.support.option_lines import ASOF, TODAY, Line, make_chain

FRIDAY = date(2023, 6, 16)
LINES = sort_lines(
    make_chain(
        [
            Line(4300, "C", 0.11, expiry=date(2023, 12, 15), root="SPX"),
            Line(4300, "C", 0.11, expiry=TODAY),
            Line(4300, "C", 0.11, expiry=FRIDAY, root="SPX"),
            Line(4300, "C", 0.11, expiry=FRIDAY, root="SPXW"),
            Line(4300, "C", 0.11, expiry=TODAY + timedelta(days=90)),
            Line(4300, "C", 0.11, expiry=TODAY + timedelta(days=91)),
        ]
    )
)


def test_zero_one_full_and_all_hold_the_right_dates():
    cut = slice_scopes(LINES, ASOF)
    assert cut.expiries["zero"] == ("2023-06-09",)
    assert cut.expiries["one"] == ("2023-06-16",)
    assert cut.expiries["full"] == ("2023-06-09", "2023-06-16", "2023-09-07")
    assert cut.expiries["all"] == ("2023-06-09", "2023-06-16", "2023-09-07", "2023-09-08", "2023-12-15")
    assert {name: rows.stop - rows.start for name, rows in cut.rows.items()} == {
        "zero": 1,
        "one": 2,
        "full": 4,
        "all": 6,
    }
    assert cut.dte == (0, 7)


def test_a_date_is_gone_at_its_settlement_instant():
    close = settle_at(TODAY, am=False)
    assert slice_scopes(LINES, close - timedelta(seconds=1)).expiries["zero"] == ("2023-06-09",)
    after = slice_scopes(LINES, close)
    assert after.expiries["zero"] == ("2023-06-16",)
    assert after.dte == (7, 90)


def test_on_a_third_friday_morning_only_the_pm_contracts_are_left():
    cut = slice_scopes(LINES, settle_at(FRIDAY, am=True))
    assert cut.expiries["zero"] == ("2023-06-16",)
    assert cut.rows["zero"].stop - cut.rows["zero"].start == 1


def test_friday_evening_is_three_days_before_monday():
    lines = sort_lines(make_chain([Line(4300, "C", 0.1, expiry=date(2023, 6, 12))]))
    cut = slice_scopes(lines, datetime(2023, 6, 10, 0, 30, tzinfo=UTC))
    assert cut.dte == (3, None)


def test_nothing_listed_and_everything_expired_are_empty_scopes():
    empty = slice_scopes(sort_lines(make_chain([])), ASOF)
    late = slice_scopes(LINES, ASOF + timedelta(days=1000))
    for cut in (empty, late):
        assert cut.dte == (None, None)
        assert all(not dates for dates in cut.expiries.values())
        assert all(rows.start == rows.stop for rows in cut.rows.values())


def test_a_cut_holds_until_the_next_settlement_or_midnight():
    cut = slice_scopes(LINES, ASOF)
    assert cut.holds_at(ASOF)
    assert not cut.holds_at(ASOF - timedelta(seconds=1))
    assert not cut.holds_at(settle_at(TODAY, am=False))
    evening = slice_scopes(LINES, settle_at(TODAY, am=False))
    assert evening.holds_at(datetime(2023, 6, 10, 3, 59, 59, tzinfo=UTC))
    assert not evening.holds_at(datetime(2023, 6, 10, 4, 0, tzinfo=UTC))


def test_rows_are_sorted_by_settlement_root_strike_and_side():
    keys = list(zip(LINES.settle_s.tolist(), LINES.strike.tolist(), strict=True))
    assert keys == sorted(keys)
    assert np.all(np.diff(LINES.date_code) >= 0)
