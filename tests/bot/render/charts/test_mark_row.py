from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.render.charts.mark_row import spread_labels

WIDTH = 0.245


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
