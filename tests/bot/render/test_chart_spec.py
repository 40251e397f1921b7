import math
from datetime import timedelta

import pytest

from bot.render.chart_spec import strikes_chart
from streaming.errors import RequestError
from streaming.model import headline
from tests.support.feed import OPEN_AT, snapshot

STRIKES = ((24900.0, -12.0, 7.0, ()), (25000.0, 30.0, None, ()), (25100.0, math.nan, 9.0, ()))


def test_bars_are_of_the_weight_asked_for_without_what_is_unknown():
    seen = snapshot(strikes=STRIKES)
    assert strikes_chart(seen, weight="vol", theme="dark", now=OPEN_AT).bars == ((24900.0, -12.0), (25000.0, 30.0))
    assert strikes_chart(seen, weight="oi", theme="dark", now=OPEN_AT).bars == ((24900.0, 7.0), (25100.0, 9.0))


def test_levels_are_those_of_the_board():
    seen = snapshot(strikes=STRIKES)
    marks = {mark.kind: mark.value for mark in strikes_chart(seen, weight="vol", theme="dark", now=OPEN_AT).marks}
    figures = headline(seen)
    assert marks == {
        "spot": figures.spot,
        "zero_gamma": figures.zero_gamma,
        "call_wall": figures.call_wall,
        "put_wall": figures.put_wall,
    }


def test_an_unknown_level_is_not_drawn():
    marks = strikes_chart(snapshot(strikes=STRIKES, major_pos_oi=None), weight="vol", theme="dark", now=OPEN_AT).marks
    assert "call_wall" not in {mark.kind for mark in marks}


def test_words_name_ticker_weight_scope_source_and_time():
    chart = strikes_chart(snapshot(strikes=STRIKES), weight="oi", theme="dark", now=OPEN_AT)
    assert chart.title == "NQ_NDX  net GEX by strike"
    assert chart.subtitle == "by open interest · expiries up to 90 days"
    assert chart.footer == "schwab · 20 Aug 2026 09:40:00 New York\nlevels by open interest"


@pytest.mark.parametrize(
    ("age_s", "delayed", "words"),
    [
        (5, False, ""),
        (7, False, " · 7s stale"),
        (4000, False, " · old 1h"),
        (0, True, " · delayed 0s"),
        (900, True, " · delayed 15m"),
        (-3, False, ""),
    ],
)
def test_the_footer_says_how_old_the_figures_were_when_drawn(age_s, delayed, words):
    seen = snapshot(strikes=STRIKES, delayed=delayed)
    chart = strikes_chart(seen, weight="oi", theme="dark", now=OPEN_AT + timedelta(seconds=age_s))
    assert chart.footer == f"schwab · 20 Aug 2026 09:40:00 New York\nlevels by open interest{words}"


def test_only_the_strikes_nearest_spot_are_drawn():
    strikes = tuple((20000.0 + 10 * n, 1.0, 1.0, ()) for n in range(1000))
    bars = strikes_chart(snapshot(strikes=strikes, spot=25000.0), weight="vol", theme="dark", now=OPEN_AT).bars
    assert len(bars) == 160
    assert bars[0][0] >= 24190
    assert list(bars) == sorted(bars)


@pytest.mark.parametrize("strikes", [(), ((25000.0, None, 1.0, ()),), ((25000.0, 0.0, 1.0, ()),)])
def test_nothing_to_draw_is_the_callers_move(strikes):
    with pytest.raises(RequestError, match="volume"):
        strikes_chart(snapshot(strikes=strikes), weight="vol", theme="dark", now=OPEN_AT)


def test_a_scope_that_the_producer_does_not_state_is_left_out():
    unstated = snapshot(strikes=((25000.0, 1.0, 2.0, ()),), scope=None, scopes={})
    chart = strikes_chart(unstated, weight="oi", theme="dark", now=OPEN_AT)
    assert chart.subtitle == "by open interest"


def test_quotes_from_the_future_are_not_passed_off_as_live():
    early = OPEN_AT - timedelta(seconds=60)
    chart = strikes_chart(snapshot(strikes=((25000.0, 1.0, 2.0, ()),)), weight="oi", theme="dark", now=early)
    assert "clock ahead" in chart.footer
