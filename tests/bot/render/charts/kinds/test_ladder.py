from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.render.charts.chart_spec import alt_text
from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.ladder import ladder_chart
from streaming.errors import RequestError
from streaming.past import past_of
from tests.support.charts import NOON, full_snapshot
from tests.support.feed import snapshot

STRIKES = tuple((25000.0 + 10 * n, 30.0 - 6 * n, 7.0, (29.0, None, 20.0, 10.0, 1.0)) for n in range(8))


def chart(seen, *, scope="full", weight="vol", past=()):
    return ladder_chart(seen, Asked(scope=scope, weight=weight, theme="dark", now=NOON), past)


def test_the_strikes_nearest_to_spot_are_shown_with_their_calls_and_puts():
    whole = full_snapshot()
    sides = ((25060.0, 30e6, -70e6, 40e6, -30e6), (30000.0, 9e6, -9e6, 9e6, -9e6))
    shown = chart(replace(whole, scopes=whole.scopes | {"full": replace(whole.scopes["full"], sides=sides)}))
    assert [row.strike for row in shown.rows] == [24940.0 + 10 * n for n in range(25)]
    (told,) = [row for row in shown.rows if row.call is not None]
    assert (told.strike, told.call, told.put) == (25060.0, 30.0, -70.0)


def test_by_volume_a_snapshot_says_itself_where_a_strike_stood_and_the_foot_names_those_minutes_alone():
    seen = snapshot(strikes=STRIKES)
    assert chart(seen).rows[0].priors == (29.0, None, 20.0, 10.0, 1.0)
    assert "solid: net · dots: 1, 10, 15, 30 min ago" in chart(seen).footer
    whole = snapshot(strikes=tuple((*row[:3], (1.0, 2.0, 3.0, 4.0, 5.0)) for row in STRIKES))
    assert "dots: 1 to 30 min ago" in chart(whole).footer
    young = snapshot(strikes=tuple((*row[:3], (1.0, 2.0)) for row in STRIKES))
    assert "dots: 1 to 5 min ago" in chart(young).footer
    assert "dots" not in chart(snapshot(strikes=tuple((*row[:3], ()) for row in STRIKES))).footer


def stood(minutes, oi, **changes):
    strikes = tuple((*row[:2], oi, ()) for row in STRIKES)
    return past_of(snapshot(NOON - timedelta(minutes=minutes), strikes=strikes, **changes))


def test_by_open_interest_the_history_says_where_a_strike_stood():
    latest = snapshot(NOON, strikes=STRIKES)
    earlier = [stood(29, 1.0), stood(10.2, 2.0), stood(5, 3.0, scope="zero"), stood(1, 4.0)]
    shown = chart(latest, weight="oi", past=earlier)
    assert shown.rows[0].priors == (4.0, None, 2.0, None, 1.0)
    assert "dots: 1, 10, 30 min ago" in shown.footer
    assert "dots" not in chart(latest, weight="oi").footer, "none are drawn"


def test_of_a_future_strikes_are_the_same_wherever_its_basis_moved_them():
    moved = tuple((row[0] + 2.5, *row[1:]) for row in STRIKES)
    latest = snapshot(NOON, strikes=moved, basis=12.5)
    assert chart(latest, weight="oi", past=[stood(1, 4.0, basis=10.0)]).rows[0].priors[0] == 4.0


def test_the_strongest_are_named_and_none_beside_another():
    shown = chart(snapshot(strikes=STRIKES))
    assert [shown.rows[place].strike for place in shown.named] == [25000.0, 25070.0]
    assert "strongest 25000 +0.0300Bn, 25070 −0.0120Bn" in alt_text(shown)


def test_without_figures_near_spot_that_is_said():
    with pytest.raises(RequestError, match="no figures by strike for today's volume near spot"):
        chart(snapshot(strikes=()))
