from datetime import timedelta

import pytest

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.heatmap import heatmap_chart
from bot.render.charts.kinds.heatmap_painter import grid_of
from tests.support.charts import NOON, day, full_snapshot, past


def grid(seen, *, weight="oi"):
    chart = heatmap_chart(seen[-1], past(seen[:-1]), Asked(scope="full", weight=weight, theme="dark", now=NOON))
    return grid_of(chart)


def small(minute, rows, **changes):
    strikes = tuple((strike, -value, value, ()) for strike, value in rows.items())
    return full_snapshot(NOON - timedelta(minutes=minute), spot=100.0, strikes=strikes, **changes)


def test_rows_are_strikes_and_what_is_not_listed_is_missing():
    seen = [small(2, {99.0: 1.0, 100.0: -2.0}), small(1, {99.0: 3.0, 101.0: 4.0}), small(0, {100.0: 5.0})]
    shown = grid(seen)
    assert (shown.lowest, shown.step, shown.shared) == (99.0, 1.0, False)
    assert shown.values == ((1.0, -2.0, None), (3.0, None, 4.0), (None, 5.0, None))
    assert grid(seen, weight="vol").values[0] == (-1.0, 2.0, None)


def test_many_strikes_share_a_row_which_is_their_sum():
    seen = day(5)
    shown = grid(seen)
    assert shown.shared
    assert shown.step in {20.0, 40.0}
    assert len(shown.values[0]) <= 45
    row = int((25000 - shown.lowest) / shown.step)
    low = shown.lowest + row * shown.step
    expected = sum(oi for strike, _, oi, _ in seen[0].strikes if low <= strike < low + shown.step)
    assert shown.values[0][row] == pytest.approx(expected)


def test_a_futures_tickers_rows_stay_on_its_strikes_while_the_basis_moves():
    shown = grid([small(1, {102.13: 1.0, 103.13: 2.0}, basis=2.13), small(0, {102.5: 3.0, 103.5: 4.0}, basis=2.5)])
    assert shown.values == ((1.0, 2.0), (3.0, 4.0))
    assert shown.lowest == pytest.approx(102.5), "shown with the newest basis"


def test_rows_cover_where_spot_was_and_a_little_more():
    shown = grid(day(60))
    top = shown.lowest + shown.step * len(shown.values[0])
    assert 24400 < shown.lowest < 24600
    assert 25500 < top < 25600


def test_a_single_strike_and_strikes_far_from_spot_are_rows_too():
    assert grid([small(1, {100.0: 1.0}), small(0, {100.0: 2.0})]).values == ((1.0,), (2.0,))
    assert grid([small(1, {900.0: 1.0}), small(0, {900.0: 2.0})]).values == ((1.0,), (2.0,))
