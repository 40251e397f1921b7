from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.flow import MOST_POINTS, flow_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, OPEN, day, flow_at, full_snapshot, past
from tests.support.feed import snapshot

MINUTE_S = 60.0
NOON_S = 12 * 3600.0


def chart(seen):
    return flow_chart(seen[-1], past(seen[:-1]), Asked(scope="full", weight="vol", theme="dark", now=NOON))


def test_each_minute_is_a_bar_though_samples_lie_minutes_apart():
    bars = chart(day(20, every_s=290.0)).bars
    assert bars[-1] == (NOON_S - MINUTE_S, 4.0)
    assert [at for at, _ in bars] == [bars[0][0] + n * MINUTE_S for n in range(len(bars))]


def test_a_minute_that_no_sample_has_is_a_gap():
    times = [at for at, _ in chart([*day(3, until=NOON - timedelta(minutes=30)), *day(2)]).bars]
    assert max(later - before for before, later in pairwise(times)) > 20 * MINUTE_S


def test_the_line_is_the_days_sum_and_breaks_where_counting_began_anew():
    early, late = day(4, until=NOON - timedelta(minutes=2)), full_snapshot()
    since = NOON - timedelta(minutes=1)
    shown = chart([*early, msgspec.structs.replace(late, signed_flow=flow_at(NOON, since=since))])
    assert shown.totals[:4] == pytest.approx((2.5, 2.6, 2.7, 2.8))
    assert shown.totals[4] is None
    assert shown.totals[5] == pytest.approx(-11.9)
    assert chart([*early, late]).totals == pytest.approx((2.5, 2.6, 2.7, 2.8, 3.0))


def test_the_line_is_not_drawn_across_a_gap():
    totals = chart([*day(10, until=NOON - timedelta(minutes=60)), *day(10)]).totals
    assert [place for place, total in enumerate(totals) if total is None] == [10]


def test_a_whole_session_is_thinned_but_keeps_every_minute():
    shown = chart(day(390))
    assert len(shown.times) == MOST_POINTS
    assert len(shown.bars) == 394


def test_what_was_before_midnight_is_of_another_day():
    night = OPEN.replace(hour=4, minute=2)
    seen = snapshot(night, signed_flow=flow_at(night, since=night - timedelta(hours=1)))
    assert [at for at, _ in chart([seen]).bars] == [0.0, MINUTE_S]


def test_without_streamed_options_there_is_no_picture():
    with pytest.raises(RequestError, match="none of its options are streamed"):
        chart([full_snapshot(signed_flow=None)])


def test_before_the_first_whole_minute_there_is_no_picture():
    young = msgspec.structs.replace(flow_at(NOON), minutes=())
    with pytest.raises(RequestError, match="no whole minute of flow yet"):
        chart([full_snapshot(signed_flow=young)])


def test_a_sample_of_another_producer_is_passed_over():
    shown = chart([full_snapshot(NOON - timedelta(minutes=3), signed_flow=None), full_snapshot()])
    assert len(shown.times) == 1
