from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.chart_spec import Mark, StrikesChart, strikes_chart
from bot.render.strikes_painter import painter, spread_labels
from tests.support.feed import snapshot

STRIKES = tuple((24500.0 + 10 * n, 40.0 - n, n - 60.0, ()) for n in range(110))
WIDTH = 0.185


@pytest.fixture(scope="module")
def dark():
    return painter("dark")


def test_the_same_chart_gives_the_same_picture_whatever_was_drawn_between(dark):
    chart = strikes_chart(snapshot(strikes=STRIKES), weight="vol", theme="dark")
    other = strikes_chart(snapshot(strikes=STRIKES, major_pos_oi=None, spot=None), weight="oi", theme="dark")
    first = dark.draw(chart)
    assert dark.draw(other) != first
    assert dark.draw(chart) == first


def test_a_level_outside_the_picture_is_named_with_an_arrow(dark):
    chart = strikes_chart(snapshot(strikes=STRIKES, major_neg_oi=18000.0), weight="vol", theme="dark")
    dark.draw(chart)
    assert dark._names["put_wall"].get_text() == "◀ put wall"
    assert not dark._lines["put_wall"].get_visible()


def test_small_exposures_are_shown_in_millions(dark):
    small = tuple((strike, 0.1, -0.1, priors) for strike, _, _, priors in STRIKES)
    dark.draw(strikes_chart(snapshot(strikes=small), weight="vol", theme="dark"))
    assert dark._subtitle.get_text().endswith("$ M per 1 % move")


@pytest.mark.parametrize("bars", [((25000.0, 1e-9),), ((25000.0, -3.0),), ((1.0, 1e12), (2.0, -1e12))])
def test_odd_chains_are_drawn_too(dark, bars):
    chart = StrikesChart(title="t", subtitle="s", footer="f", bars=bars, marks=(Mark("spot", "spot", 25000.0),))
    assert dark.draw(chart)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_labels_never_touch_or_leave_the_row(places):
    centres = spread_labels(places, WIDTH)
    ordered = sorted(centres)
    assert all(after - before >= WIDTH - 1e-9 for before, after in pairwise(ordered))
    assert ordered[0] >= WIDTH / 2 - 1e-9
    assert ordered[-1] <= 1 - WIDTH / 2 + 1e-9
    assert sorted(range(len(places)), key=lambda n: places[n]) == sorted(range(len(places)), key=lambda n: centres[n])


def test_labels_with_room_stay_over_their_lines():
    assert spread_labels([0.2, 0.5, 0.8], WIDTH) == pytest.approx([0.2, 0.5, 0.8])
