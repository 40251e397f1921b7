import pytest
from msgspec.structs import replace

from bot.render.charts.chart_spec import alt_text
from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.ladder import ladder_chart
from streaming.errors import RequestError
from tests.support.charts import NOON, full_snapshot
from tests.support.feed import snapshot

STRIKES = tuple((25000.0 + 10 * n, 30.0 - 6 * n, 7.0, (29.0, None, 20.0, 10.0, 1.0)) for n in range(8))


def chart(seen, *, scope="full", weight="vol"):
    return ladder_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def test_the_strikes_nearest_to_spot_are_shown_with_their_calls_and_puts():
    whole = full_snapshot()
    sides = ((25060.0, 30e6, -70e6, 40e6, -30e6), (30000.0, 9e6, -9e6, 9e6, -9e6))
    shown = chart(replace(whole, scopes=whole.scopes | {"full": replace(whole.scopes["full"], sides=sides)}))
    assert [row.strike for row in shown.rows] == [24940.0 + 10 * n for n in range(25)]
    (told,) = [row for row in shown.rows if row.call is not None]
    assert (told.strike, told.call, told.put) == (25060.0, 30.0, -70.0)


def test_where_a_strike_stood_minutes_ago_is_known_by_volume_alone():
    seen = snapshot(strikes=STRIKES)
    assert chart(seen).rows[0].priors == (29.0, None, 20.0, 10.0, 1.0)
    assert "dots: 1 to 30 min ago" in chart(seen).footer
    assert chart(seen, weight="oi").rows[0].priors == ()
    assert "dots" not in chart(seen, weight="oi").footer


def test_the_strongest_are_named_and_none_beside_another():
    shown = chart(snapshot(strikes=STRIKES))
    assert [shown.rows[place].strike for place in shown.named] == [25000.0, 25070.0]
    assert "strongest 25000 +0.0300Bn, 25070 −0.0120Bn" in alt_text(shown)


def test_without_figures_near_spot_that_is_said():
    with pytest.raises(RequestError, match="no figures by strike for today's volume near spot"):
        chart(snapshot(strikes=()))
