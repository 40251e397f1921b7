from datetime import timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.chart_spec import Mark, StrikesChart, strikes_chart
from bot.render.strikes_painter import painter, spread_labels
from tests.support.feed import OPEN_AT, snapshot

STRIKES = tuple((24500.0 + 10 * n, 40.0 - n, n - 60.0, ()) for n in range(110))
WIDTH = 0.245


@pytest.fixture(scope="module")
def dark():
    return painter("dark")


def test_the_same_chart_gives_the_same_picture_whatever_was_drawn_between(dark):
    chart = strikes_chart(snapshot(strikes=STRIKES), weight="vol", theme="dark", now=OPEN_AT)
    other = strikes_chart(
        snapshot(strikes=STRIKES, major_pos_oi=None, spot=None), weight="oi", theme="dark", now=OPEN_AT
    )
    first = dark.draw(chart)
    assert dark.draw(other) != first
    assert dark.draw(chart) == first


def test_a_level_outside_the_picture_is_named_with_an_arrow(dark):
    chart = strikes_chart(snapshot(strikes=STRIKES, major_neg_oi=18000.0), weight="vol", theme="dark", now=OPEN_AT)
    dark.draw(chart)
    assert dark._values["put_wall"].get_text() == "◀ 18000.00"
    assert not dark._lines["put_wall"].get_visible()


def test_small_exposures_are_shown_in_millions(dark):
    small = tuple((strike, 0.1, -0.1, priors) for strike, _, _, priors in STRIKES)
    dark.draw(strikes_chart(snapshot(strikes=small), weight="vol", theme="dark", now=OPEN_AT))
    assert dark._unit.get_text() == "$ M per 1 % move"


def wide(**changes):
    """As many wide texts as a real picture can have at once."""
    levels = {"major_pos_oi": 32000.5, "major_neg_oi": 18000.25, "delayed": True, "source": "another-producer"}
    seen = snapshot(**({"strikes": STRIKES, "scopes": {}, "zero_gamma": 17500.25} | levels | changes))
    return strikes_chart(seen, weight="vol", theme="dark", now=OPEN_AT + timedelta(minutes=15))


SHAPES = [
    {},
    {"major_pos_oi": 25000.0, "major_neg_oi": 25000.0, "zero_gamma": 25000.0, "spot": 25000.0},
    {"strikes": tuple((n, value / 1e4, 0.0, ()) for n, value, _, _ in STRIKES)},
    {"strikes": tuple((n, value * 1e4, 0.0, ()) for n, value, _, _ in STRIKES)},
    {"strikes": tuple((n / 100, value, 0.0, ()) for n, value, _, _ in STRIKES)},
    {"ticker": "MNQ_NDX", "scope": "one"},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_text_is_small_or_touches_another_or_leaves_the_picture(dark, shape):
    dark.draw(wide(**shape))
    ticks = [
        tick.label1
        for axis in (dark._axes.xaxis, dark._axes.yaxis)
        for tick in axis.get_major_ticks()
        if min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    labels = [*dark._figure.texts, *dark._axes.texts, *ticks]
    seen = [text for text in labels if text.get_visible() and text.get_text()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in seen]
    assert min(text.get_fontsize() for text in seen) >= 18
    assert [text for text, box in boxes if not (box.x0 >= 0 <= box.y0 and box.x1 <= 1440 and box.y1 <= 960)] == []
    assert [(one, two) for (one, a), (two, b) in combinations(boxes, 2) if a.overlaps(b)] == []


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
