from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.render.charts.session_times import same_day, seconds_of, spread, usual_gap_s
from tests.support.charts import NOON, day
from tests.support.feed import snapshot


def test_a_day_is_in_order_ends_with_the_latest_and_has_nothing_twice_or_of_another_day():
    latest = snapshot(NOON)
    early, late = snapshot(NOON - timedelta(minutes=2)), snapshot(NOON - timedelta(minutes=1))
    others = [snapshot(NOON - timedelta(days=1)), snapshot(NOON + timedelta(minutes=1)), latest]
    assert same_day(latest, [late, *others, early, early]) == [early, late, latest]


def test_seconds_are_of_new_yorks_clock():
    assert seconds_of(snapshot(NOON)) == 12 * 3600


def test_three_times_the_usual_distance_is_a_gap_but_half_a_minute_never_is():
    assert usual_gap_s([0, 60, 120, 180, 900]) == 180
    assert usual_gap_s([0, 1, 2]) == 30
    assert usual_gap_s([5]) == 30


@given(st.integers(2, 40), st.integers(2, 60))
def test_a_choice_keeps_both_ends_and_no_more_than_asked_for(most, count):
    whole = day(count)
    chosen = spread(whole, most)
    assert len(chosen) == min(most, count)
    assert (chosen[0], chosen[-1]) == (whole[0], whole[-1])
    distances = [after.asof_ms - before.asof_ms for before, after in pairwise(chosen)]
    assert max(distances) - min(distances) <= 60_000


def test_a_choice_is_even_in_time_not_in_number():
    dense, sparse = day(100, every_s=1.0, until=NOON), day(4, every_s=600.0, until=NOON - timedelta(minutes=10))
    chosen = spread([*sparse, *dense], 5)
    assert chosen[:3] == [sparse[0], sparse[1], sparse[2]] or sparse[1] in chosen
    assert len([seen for seen in chosen if seen in dense]) <= 2
