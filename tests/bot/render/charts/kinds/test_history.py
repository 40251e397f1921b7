import math
from datetime import timedelta

import pytest

from bot.render.charts.chart_spec import alt_text
from bot.render.charts.chart_words import Asked
from bot.render.charts.chart_worker import Painters
from bot.render.charts.kinds.history import MOST_POINTS, days_chart, history_chart
from streaming.errors import RequestError
from tests.support.charts import EXPIRIES, NOON, day, expecting, full_snapshot, past
from tests.support.feed import snapshot
from tests.support.history import day_row, reports


def chart(seen, *, scope="full", weight="oi"):
    return history_chart(seen[-1], past(seen[:-1]), Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def lines(shown):
    return {series.kind: series.values for series in shown.series}


def test_lines_are_the_levels_of_scope_and_weight_over_new_york_time():
    shown = chart(day(10), scope="zero")
    assert shown.times == tuple(12 * 3600 - 60.0 * n for n in range(9, -1, -1))
    assert lines(shown)["spot"][0] == 25000.0
    assert lines(shown)["zero_gamma"][0] == 25000.0 - 55.25
    assert lines(shown)["call_wall"] == (25100.0,) * 10
    assert "10 snapshots" in shown.footer


def test_what_was_unknown_is_missing_not_zero():
    seen = day(6)
    seen[3] = full_snapshot(NOON - timedelta(minutes=2), spot=math.nan)
    assert [value is None for value in lines(chart(seen))["spot"]] == [False, False, False, True, False, False]
    assert lines(chart(day(4), weight="vol"))["zero_gamma"] == (None,) * 4


def test_no_line_is_drawn_across_a_gap():
    seen = [*day(10, until=NOON - timedelta(minutes=30)), *day(5)]
    values = lines(chart(seen))["spot"]
    assert [place for place, value in enumerate(values) if value is None] == [10]
    assert len(values) == 16


def test_a_whole_session_is_thinned():
    assert len(chart(day(400)).times) == MOST_POINTS


def test_a_single_snapshot_is_no_history():
    with pytest.raises(RequestError, match="no history of this day yet"):
        chart(day(1))


def test_yesterday_is_no_history_of_today():
    with pytest.raises(RequestError, match="no history of this day yet"):
        chart([*day(5, until=NOON - timedelta(days=1)), full_snapshot()])


def test_a_producer_with_nothing_but_exposure_has_no_lines():
    bare = {"spot": None, "ladder_split": None, "major_pos_oi": None, "major_neg_oi": None, "scopes": {}, "scope": None}
    with pytest.raises(RequestError, match="no levels of this day"):
        chart([snapshot(NOON - timedelta(minutes=n), **bare) for n in (2, 1, 0)])


def test_over_days_the_lines_are_closes_and_a_session_without_a_row_is_a_gap():
    rows = [row for report in reports(5) for row in report.rows]
    shown = days_chart("SPX", [*rows[:2], *rows[3:]])
    assert shown.days == ("2026-09-02", "2026-09-03", "2026-09-04", "2026-09-08", "2026-09-09")
    assert shown.times == (0.0, 1.0, 2.0, 3.0, 4.0)
    assert lines(shown)["spot"] == (6400.0, 6400.0, None, 6400.0, 6400.0)
    assert lines(shown)["call_wall"][0] == 6500.0
    assert shown.title == "SPX  spot and levels over 5 sessions"
    assert shown.footer == "schwab · at the close\n2026-09-02 to 2026-09-09 · 4 sessions known"


def test_one_day_is_no_history_of_days():
    with pytest.raises(RequestError, match="too few past days"):
        days_chart("SPX", [day_row()])


def test_days_are_drawn_and_told_with_their_dates():
    rows = [row for report in reports(60) for row in report.rows]
    shown = days_chart("SPX", rows)
    assert Painters().draw(shown).startswith(b"\x89PNG")
    assert "Closes from 2026-09-02 to 2026-11-25: spot 6400.00" in alt_text(shown)


def test_what_the_morning_expected_stands_all_day():
    early = NOON.replace(hour=13, minute=34)
    seen = day(3, until=early + timedelta(minutes=2), expected_move=expecting(90.0))
    seen += day(5, expected_move=expecting(40.0))
    band = chart(seen).band
    frozen = seen[1]
    assert (band.low, band.high) == (frozen.spot - 90.0, frozen.spot + 90.0)
    assert band.begins == 9.0 * 3600 + 35 * 60


def test_a_straddle_of_another_day_or_before_the_morning_is_over_is_not_the_days():
    assert chart(day(5, expected_move=expecting(expiry=EXPIRIES[1]))).band is None
    assert chart(day(5, until=NOON.replace(hour=13, minute=33), expected_move=expecting())).band is None
    assert chart(day(5)).band is None
