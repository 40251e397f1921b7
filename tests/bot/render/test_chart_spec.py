import math

import pytest

from bot.render.chart_spec import strikes_chart
from streaming.errors import RequestError
from streaming.model import headline
from tests.support.feed import snapshot

STRIKES = ((24900.0, -12.0, 7.0, ()), (25000.0, 30.0, None, ()), (25100.0, math.nan, 9.0, ()))


def test_bars_are_of_the_weight_asked_for_without_what_is_unknown():
    seen = snapshot(strikes=STRIKES)
    assert strikes_chart(seen, weight="vol", theme="dark").bars == ((24900.0, -12.0), (25000.0, 30.0))
    assert strikes_chart(seen, weight="oi", theme="dark").bars == ((24900.0, 7.0), (25100.0, 9.0))


def test_levels_are_those_of_the_board():
    seen = snapshot(strikes=STRIKES)
    marks = {mark.kind: mark.value for mark in strikes_chart(seen, weight="vol", theme="dark").marks}
    figures = headline(seen)
    assert marks == {
        "spot": figures.spot,
        "zero_gamma": figures.zero_gamma,
        "call_wall": figures.call_wall,
        "put_wall": figures.put_wall,
    }


def test_an_unknown_level_is_not_drawn():
    marks = strikes_chart(snapshot(strikes=STRIKES, major_pos_oi=None), weight="vol", theme="dark").marks
    assert "call_wall" not in {mark.kind for mark in marks}


def test_words_name_ticker_weight_scope_source_and_time():
    chart = strikes_chart(snapshot(strikes=STRIKES, delayed=True), weight="oi", theme="dark")
    assert chart.title == "NQ_NDX  net GEX by strike"
    assert chart.subtitle == "by open interest · expiries up to 90 days"
    assert chart.footer == "schwab, delayed · 20 Aug 2026 09:40:00 New York · levels by open interest"


def test_only_the_strikes_nearest_spot_are_drawn():
    strikes = tuple((20000.0 + 10 * n, 1.0, 1.0, ()) for n in range(1000))
    bars = strikes_chart(snapshot(strikes=strikes, spot=25000.0), weight="vol", theme="dark").bars
    assert len(bars) == 160
    assert bars[0][0] >= 24190
    assert list(bars) == sorted(bars)


@pytest.mark.parametrize("strikes", [(), ((25000.0, None, 1.0, ()),), ((25000.0, 0.0, 1.0, ()),)])
def test_nothing_to_draw_is_the_callers_move(strikes):
    with pytest.raises(RequestError, match="volume"):
        strikes_chart(snapshot(strikes=strikes), weight="vol", theme="dark")
