from datetime import timedelta

import msgspec
import pytest

from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.heatmap import MOST_COLUMNS, heatmap_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, day, full_snapshot, past
from tests.support.feed import snapshot


def chart(seen, *, scope="full", weight="oi"):
    return heatmap_chart(seen[-1], past(seen[:-1]), Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def small(minute, rows, **changes):
    strikes = tuple((strike, value, value, ()) for strike, value in rows.items())
    return full_snapshot(NOON - timedelta(minutes=minute), spot=100.0, strikes=strikes, **changes)


def test_columns_run_to_the_next_snapshot():
    shown = chart([small(2, {99.0: 1.0}), small(1, {99.0: 3.0}), small(0, {100.0: 5.0})])
    assert [column.begins for column in shown.columns] == [43080.0, 43140.0, 43200.0]
    assert [column.ends for column in shown.columns] == [43140.0, 43200.0, 43260.0]
    assert [column.spot for column in shown.columns] == [100.0] * 3
    assert [column.zero_gamma for column in shown.columns] == [100.0 - 110.5] * 3


def test_a_gap_stays_empty():
    shown = chart([*day(10, until=NOON - timedelta(minutes=30)), *day(5)])
    before, after = shown.columns[9], shown.columns[10]
    assert before.ends == before.begins + 60
    assert after.begins == before.begins + 26 * 60


def test_a_whole_session_is_thinned():
    assert len(chart(day(200)).columns) == MOST_COLUMNS


def test_only_the_scope_whose_strikes_are_kept_can_be_drawn():
    with pytest.raises(RequestError) as refused:
        chart(day(5), scope="zero")
    assert refused.value.sentence == "The history keeps the strikes of scope full only. Choose the scope full."


def test_strikes_of_another_scope_are_not_mixed_in():
    other = [msgspec.structs.replace(seen, scope="zero") for seen in day(10, until=NOON - timedelta(minutes=5))]
    assert len(chart([*other, *day(4)]).columns) == 4


def test_a_day_without_strikes_has_no_picture():
    with pytest.raises(RequestError, match="no history by strike for open interest"):
        chart([snapshot(NOON - timedelta(minutes=1)), snapshot(NOON)])
    with pytest.raises(RequestError, match="no history by strike"):
        chart(day(1))
