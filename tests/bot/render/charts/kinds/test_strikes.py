import math

import pytest
from msgspec.structs import replace

from bot.render.charts.chart_spec import alt_text
from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.strikes import strikes_chart
from streaming.errors import RequestError
from streaming.model import ScopeFigures
from tests.support.charts import full_snapshot
from tests.support.feed import OPEN_AT, snapshot

STRIKES = ((24900.0, -12.0, 7.0, ()), (25000.0, 30.0, None, ()), (25100.0, math.nan, 9.0, ()))


def chart(seen, *, scope="full", weight="vol"):
    return strikes_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=OPEN_AT))


def test_bars_are_the_ladder_of_the_scope_in_millions():
    seen = full_snapshot()
    full, zero = (dict(chart(seen, scope=scope, weight="oi").bars) for scope in ("full", "zero"))
    assert full[25000.0] == 10.0
    assert zero[25000.0] == 5.0
    assert dict(chart(seen).bars)[25000.0] == -40.0


def test_calls_and_puts_of_the_strikes_near_spot_stand_behind_the_bars_of_the_same_weight():
    whole = full_snapshot()
    rows = ((25000.0, 30e6, -70e6, 40e6, -30e6), (25100.0, 1e6, -2e6, 3e6, -4e6), (30000.0, 9e6, -9e6, 9e6, -9e6))
    seen = replace(whole, scopes=whole.scopes | {"full": replace(whole.scopes["full"], sides=rows)})
    assert chart(seen).sides == ((25000.0, 30.0, -70.0), (25100.0, 1.0, -2.0))
    assert chart(seen, weight="oi").sides == ((25000.0, 40.0, -30.0), (25100.0, 3.0, -4.0))
    assert "most calls +0.0400Bn at 25000 and most puts −0.0300Bn at 25000" in alt_text(chart(seen, weight="oi"))
    assert chart(seen, scope="zero").sides == ()


def test_a_ladder_that_is_not_there_is_read_from_the_classic_rows_without_what_is_unknown():
    seen = snapshot(strikes=STRIKES)
    assert chart(seen).bars == ((24900.0, -12.0), (25000.0, 30.0))
    assert chart(seen, weight="oi").bars == ((24900.0, 7.0), (25100.0, 9.0))


def test_classic_rows_are_never_shown_as_another_scope():
    with pytest.raises(RequestError, match="provides no zero scope"):
        chart(snapshot(strikes=STRIKES), scope="zero")


def test_classic_rows_do_not_stand_in_for_another_scopes_ladder_either():
    seen = snapshot(strikes=STRIKES, scopes={"zero": ScopeFigures(), "full": ScopeFigures()})
    with pytest.raises(RequestError, match="no figures by strike"):
        chart(seen, scope="zero")
    assert chart(seen).bars


def test_words_name_ticker_weight_scope_source_and_time():
    shown = chart(snapshot(strikes=STRIKES), weight="oi")
    assert shown.title == "NQ_NDX  net GEX by strike"
    assert shown.subtitle == "by open interest · expiries up to 90 days"
    assert shown.footer == "schwab · 20 Aug 2026 · 09:40:00 New York\nlevels by open interest"


def test_a_scope_that_the_producer_does_not_state_is_left_out():
    assert chart(snapshot(strikes=STRIKES, scope=None, scopes={})).subtitle == "by today's volume"


def test_only_the_strikes_nearest_spot_are_drawn():
    strikes = tuple((20000.0 + 10 * n, 1.0, 1.0, ()) for n in range(1000))
    bars = chart(snapshot(strikes=strikes, spot=25000.0)).bars
    assert len(bars) == 160
    assert bars[0][0] >= 24190
    assert list(bars) == sorted(bars)


def test_the_picture_reaches_as_far_from_spot_as_nearly_all_exposure_does():
    strikes = tuple((24000.0 + 10 * n, 1e3 if 24900 <= 24000 + 10 * n <= 25400 else -0.1, 0.0, ()) for n in range(200))
    drawn = [strike for strike, _ in chart(snapshot(strikes=strikes, spot=25000.0)).bars]
    assert (drawn[0], drawn[-1]) == (24620.0, 25380.0)


def test_the_picture_reaches_one_percent_from_spot_at_least():
    strikes = tuple((24000.0 + 10 * n, float(n == 100), 0.0, ()) for n in range(200))
    drawn = [strike for strike, _ in chart(snapshot(strikes=strikes, spot=25000.0)).bars]
    assert (drawn[0], drawn[-1]) == (24750.0, 25250.0)


@pytest.mark.parametrize("strikes", [(), ((25000.0, None, 1.0, ()),), ((25000.0, 0.0, 1.0, ()),)])
def test_nothing_to_draw_is_the_callers_move(strikes):
    with pytest.raises(RequestError, match="volume"):
        chart(snapshot(strikes=strikes))
