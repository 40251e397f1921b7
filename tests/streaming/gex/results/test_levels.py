"""Levels read off ladders: examples A and H, ties, and when there is none."""

import numpy as np
import pytest

from streaming.gex.results.levels import (
    ladder_split,
    largest,
    smallest,
    within_window,
)

H_STRIKES = np.arange(6880.0, 6930.0, 5.0)
H_VALUES = np.array([-385.7, -138.03, -265.72, -6.71, 422.36, 43.6, -9.57, -70.4, 856.08, 865.77])


def test_the_ladder_split_is_the_crossing_next_to_the_minimum_of_the_running_sum():
    assert ladder_split(H_STRIKES, H_VALUES) == pytest.approx(6895.078192369543, abs=1e-9)


def test_the_split_drops_exact_zeros():
    strikes = np.array([10.0, 11.0, 12.0])
    assert ladder_split(strikes, np.array([-1.0, 0.0, 1.0])) == pytest.approx(11.0)


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1.0, 2.0], [5.0, -3.0, 1.0], [-1.0, -2.0], [1.0, -4.0]])
def test_there_is_no_split_without_a_negative_running_sum_that_turns(values: list[float]):
    assert ladder_split(np.arange(len(values), dtype=float), np.array(values)) is None


def test_a_major_needs_the_right_sign():
    strikes = np.array([100.0, 105.0])
    assert largest(strikes, np.array([-1.0, -2.0]), 100.0) is None
    assert smallest(strikes, np.array([1.0, 0.0]), 100.0) is None
    assert largest(strikes, np.array([0.0, 0.0]), 100.0) is None
    assert smallest(strikes, np.array([-1.0, -2.0]), 100.0) == (105.0, -2.0)


def test_ties_go_nearer_to_spot_then_to_the_lower_strike():
    strikes = np.array([90.0, 95.0, 105.0, 120.0])
    level = largest(strikes, np.array([7.0, 7.0, 7.0, 7.0]), 104.0)
    assert level == (105.0, 7.0)
    assert largest(strikes, np.array([7.0, 7.0, 7.0, 7.0]), 100.0) == (95.0, 7.0)


def test_an_empty_ladder_has_no_levels():
    nothing = np.array([])
    assert largest(nothing, nothing, 100.0) is None
    assert ladder_split(nothing, nothing) is None


def test_the_window_holds_strikes_within_three_and_a_half_percent():
    strikes = np.array([965.0, 965.1, 1000.0, 1034.9, 1035.1])
    assert strikes[within_window(strikes, 1000.0)].tolist() == [965.0, 965.1, 1000.0, 1034.9]
