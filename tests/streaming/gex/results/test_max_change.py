"""Max change: example D, gaps, and when history ends."""

import numpy as np
import pytest

from streaming.gex.results.max_change import Ladder, LadderHistory, largest_change, values_at

STRIKES = np.array([5000.0, 5050.0, 5100.0])
NOW = Ladder(10_000.0, STRIKES, np.array([100.0, -40.0, 10.0]))
SNAPSHOTS = {
    20: [98.0, -41.0, 10.5],
    60: [95.0, -30.0, 12.0],
    300: [120.0, -35.0, 11.0],
    600: [130.0, 5.0, 10.0],
    890: [60.0, -40.0, 9.0],
    1800: [101.0, -44.0, 55.0],
}


def history_of(snapshots: dict[int, list[float]]) -> LadderHistory:
    history = LadderHistory()
    history.start_epoch("today")
    for age_s in sorted(snapshots, reverse=True):
        history.add(Ladder(NOW.at_s - age_s, STRIKES, np.array(snapshots[age_s])))
    return history


def changes(history: LadderHistory) -> list[tuple[float | None, float | None]]:
    return [largest_change(NOW, values_at(STRIKES, prior)) for prior in history.priors(NOW.at_s)]


def test_example_d_fifteen_minutes_are_unknown_because_nothing_is_of_the_right_age():
    assert changes(history_of(SNAPSHOTS)) == [
        (5000.0, 2.0),
        (5050.0, -10.0),
        (5000.0, -20.0),
        (5050.0, -45.0),
        (None, None),
        (5100.0, -45.0),
    ]


@pytest.mark.parametrize(
    ("age_s", "known"), [(59.9, False), (60.0, True), (120.0, True), (120.1, False), (1800.0, False)]
)
def test_a_prior_of_one_minute_is_one_to_two_minutes_old(age_s: float, known: bool):
    history = LadderHistory()
    history.add(Ladder(NOW.at_s - age_s, STRIKES, np.zeros(3)))
    assert (history.prior(NOW.at_s, 60.0) is not None) is known


@pytest.mark.parametrize(("age_s", "known"), [(1799.0, False), (1800.0, True), (2250.0, True), (2251.0, False)])
def test_a_prior_of_thirty_minutes_may_be_a_quarter_older(age_s: float, known: bool):
    history = LadderHistory()
    history.add(Ladder(NOW.at_s - age_s, STRIKES, np.zeros(3)))
    assert (history.prior(NOW.at_s, 1800.0) is not None) is known


def test_a_new_session_or_other_dates_forget_everything():
    history = history_of(SNAPSHOTS)
    history.start_epoch("today")
    assert history.previous(NOW.at_s) is not None
    history.start_epoch("tomorrow")
    assert history.priors(NOW.at_s) == (None,) * 6


def test_a_strike_that_the_prior_did_not_have_counts_from_zero():
    prior = Ladder(0.0, np.array([5050.0]), np.array([-40.0]))
    assert values_at(STRIKES, prior).tolist() == [0.0, -40.0, 0.0]
    assert values_at(STRIKES, Ladder(0.0, np.array([]), np.array([]))).tolist() == [0.0, 0.0, 0.0]


def test_ties_go_to_the_lower_strike_and_no_change_names_no_strike():
    assert largest_change(NOW, NOW.values - np.array([1.0, -1.0, 1.0])) == (5000.0, 1.0)
    assert largest_change(NOW, NOW.values) == (None, 0.0)


def test_history_keeps_forty_minutes_and_no_more():
    history = LadderHistory()
    for second in range(9000):
        history.add(Ladder(float(second), STRIKES, np.full(3, float(second))))
    assert len(history._kept) < 2500
    assert history.previous(9000.0).values[0] == 8999.0
    assert history.prior(8999.0, 1800.0).values[0] == 7199.0


def test_the_same_instant_twice_is_one_ladder():
    history = LadderHistory()
    history.add(Ladder(1.0, STRIKES, np.zeros(3)))
    history.add(Ladder(1.0, STRIKES, np.ones(3)))
    assert history.previous(1.0) is None
    assert history.previous(2.0).values[0] == 0.0


def test_a_snapshot_of_exactly_the_right_age_is_the_prior_at_any_pace_down_to_a_second():
    history = LadderHistory()
    for tenth in range(0, 6000, 10):
        history.add(Ladder(tenth / 10.0 + 0.003 * (tenth % 3), STRIKES, np.full(3, float(tenth))))
    assert history.prior(600.0, 300.0).values[0] == 3000.0
    assert history.prior(600.0, 60.0).values[0] == 5400.0


def test_a_fast_pace_is_thinned_to_a_second():
    history = LadderHistory()
    for quarter in range(4 * 3000):
        history.add(Ladder(quarter / 4.0, STRIKES, np.zeros(3)))
    assert len(history._kept) < 2600
    assert 1800.0 <= 2999.75 - history.prior(2999.75, 1800.0).at_s < 1801.0
