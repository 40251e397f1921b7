import pytest

from streaming.history.grades import Grade
from streaming.history.ranks import hold_rate, rank


def test_under_twenty_days_there_is_no_rank():
    assert rank(1.0, [float(n) for n in range(19)]) == (19, None, None)


def test_a_rank_is_the_share_of_days_below_and_half_of_those_equal():
    past = [float(n) for n in range(20)]
    assert rank(15.0, past).percentile == 77.5
    assert rank(100.0, past).percentile == 100.0
    assert rank(-1.0, past).percentile == 0.0


def test_the_z_score_counts_standard_deviations_from_the_mean():
    past = [-1.0, 1.0] * 10
    assert rank(2.0, past).z == pytest.approx(2.0 / (20 / 19) ** 0.5)
    assert rank(2.0, [1.0] * 20).z is None
    assert rank(2.0, [1.0] * 20).percentile == 100.0


def graded(touched=1, held=True):
    return Grade(
        ticker="SPX", day="2026-11-20", level="call_wall", price=1.0, spot=1.0, frozen_ms=1, source="test",
        touched_ms=touched, held=held,
    )  # fmt: skip


def test_under_twenty_tests_there_is_no_rate():
    found = hold_rate([graded() for _ in range(19)])
    assert (found.tested, found.held, found.rate, found.interval) == (19, 19, None, None)


def test_a_rate_counts_what_was_tested_and_known():
    grades = (
        [graded()] * 15 + [graded(held=False)] * 10 + [graded(touched=None, held=None)] * 7 + [graded(held=None)] * 2
    )
    found = hold_rate(grades)
    assert found == (34, 25, 15, 2)
    assert found.rate == 0.6
    assert found.interval == pytest.approx((0.407, 0.766), abs=1e-3)
