"""Levels read off ladders: examples A and H, ties, and when there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.gex.results.levels import WALLS, Level, ladder_splits, walls, within_window

H_STRIKES = np.arange(6880.0, 6930.0, 5.0)
H_VALUES = np.array([-385.7, -138.03, -265.72, -6.71, 422.36, 43.6, -9.57, -70.4, 856.08, 865.77])


def test_the_ladder_split_is_the_crossing_next_to_the_minimum_of_the_running_sum():
    assert ladder_splits(H_STRIKES, H_VALUES[None])[0] == pytest.approx(6895.078192369543, abs=1e-9)


def test_the_split_drops_exact_zeros():
    strikes = np.array([10.0, 11.0, 12.0])
    found = ladder_splits(strikes, np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 0.0], [-1.0, 1.0, 0.0]]))
    assert found == [pytest.approx(11.0), None, pytest.approx(10.5)]


@pytest.mark.parametrize("values", [[], [0.0, 0.0], [1.0, 2.0], [5.0, -3.0, 1.0], [-1.0, -2.0], [1.0, -4.0]])
def test_there_is_no_split_without_a_negative_running_sum_that_turns(values: list[float]):
    assert ladder_splits(np.arange(len(values), dtype=float), np.array([values])) == [None]


STRIKES = np.array([90.0, 95.0, 100.0, 105.0, 120.0])


def walls_of(puts: list[float], calls: list[float], spot: float) -> dict[str, Level]:
    (found,) = walls(STRIKES, np.array([[puts, calls]]), spot)
    return found


def test_a_wall_needs_a_strike_of_its_sign():
    assert walls_of([0.0] * 5, [0.0] * 5, 100.0) == {}
    assert set(walls_of([0.0] * 5, [1.0] * 5, 100.0)) == {"call_wall", "call_wall_gross", "call_wall_above"}
    assert set(walls_of([-1.0] * 5, [0.0] * 5, 100.0)) == {"put_wall", "put_wall_gross", "put_wall_below"}


@pytest.mark.parametrize(("spot", "nearest"), [(104.0, 105.0), (97.5, 95.0), (80.0, 90.0), (500.0, 120.0)])
def test_ties_go_nearer_to_spot_then_to_the_lower_strike(spot: float, nearest: float):
    assert walls_of([0.0] * 5, [7.0] * 5, spot)["call_wall"] == (nearest, 7.0)
    assert walls_of([-7.0] * 5, [0.0] * 5, spot)["put_wall"] == (nearest, -7.0)


def test_spot_at_a_strike_counts_for_both_sides():
    found = walls_of([-1.0, -1.0, -5.0, -9.0, -9.0], [9.0, 9.0, 5.0, 1.0, 1.0], 100.0)
    assert (found["call_wall_above"], found["put_wall_below"]) == ((100.0, 5.0), (100.0, -5.0))
    assert (found["call_wall_gross"], found["put_wall_gross"]) == ((95.0, 9.0), (105.0, -9.0))


def slow_walls(puts: list[float], calls: list[float], spot: float) -> dict[str, Level]:
    """The same strike by strike."""

    def highest(values: dict[float, float], sign: float) -> Level | None:
        best = max((sign * value for value in values.values()), default=0.0)
        tied = [strike for strike, value in values.items() if sign * value == best > 0.0]
        return min(((abs(strike - spot), strike, sign * best) for strike in tied), default=(0.0, None, 0.0))[1:]

    put, call = (dict(zip(STRIKES.tolist(), column, strict=True)) for column in (puts, calls))
    net = {strike: put[strike] + call[strike] for strike in put}
    above = {strike: value for strike, value in call.items() if strike >= spot}
    below = {strike: value for strike, value in put.items() if strike <= spot}
    order = ((net, 1.0), (net, -1.0), (call, 1.0), (put, -1.0), (above, 1.0), (below, -1.0))
    found = {name: highest(*of) for name, of in zip(WALLS, order, strict=True)}
    return {name: level for name, level in found.items() if level[0] is not None}


sides = st.lists(st.integers(0, 3).map(float), min_size=5, max_size=5)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=4), st.sampled_from([80.0, 92.5, 100.0, 101.0, 130.0]))
def test_walls_of_many_ladders_are_those_of_each_by_itself(pairs: list[tuple[list[float], list[float]]], spot: float):
    ladders = [([-value for value in puts], calls) for puts, calls in pairs]
    assert walls(STRIKES, np.array(ladders), spot) == [slow_walls(puts, calls, spot) for puts, calls in ladders]


def test_an_empty_ladder_has_no_levels():
    nothing = np.array([])
    assert walls(nothing, np.zeros((2, 2, 0)), 100.0) == [{}, {}]
    assert ladder_splits(nothing, np.zeros((2, 0))) == [None, None]


def test_the_window_holds_strikes_within_three_and_a_half_percent():
    strikes = np.array([965.0, 965.1, 1000.0, 1034.9, 1035.1])
    assert strikes[within_window(strikes, 1000.0)].tolist() == [965.0, 965.1, 1000.0, 1034.9]
