from datetime import timedelta

import msgspec
import pytest

from bot.render.charts.chart_spec import alt_text
from bot.render.charts.chart_words import Asked
from bot.render.charts.kinds.ahead import ahead_chart
from bot.render.message_form import stamp
from streaming.errors import RequestError
from tests.support.charts import NOON, full_snapshot
from tests.support.day_maps import made_map, map_of
from tests.support.feed import snapshot

LATER = NOON + timedelta(minutes=1)


def chart(seen=None, day_map=None, *, scope="full", weight="oi"):
    seen = seen or full_snapshot()
    return ahead_chart(seen, day_map or made_map(), Asked(scope=scope, weight=weight, theme="dark", now=NOON))


def test_cells_are_those_of_the_scope_and_weight_in_millions():
    made = made_map()
    for scope in ("zero", "full"):
        for weight in ("oi", "vol"):
            shown = chart(day_map=made, scope=scope, weight=weight)
            assert shown.gamma == tuple(cell / 1e6 for cell in made.gamma(scope, weight))
            assert shown.flow == tuple(cell / 1e6 for cell in made.flow(scope, weight))


def test_times_are_new_yorks_and_end_at_the_close():
    shown = chart()
    assert (shown.times, shown.ends) == ((12 * 3600.0, 14 * 3600.0), 16 * 3600.0)
    assert shown.subtitle.endswith("· Thu 20 Aug")
    assert shown.prices == (24900.0, 25000.0, 25100.0)


def test_a_map_that_is_a_little_older_says_of_when_it_is():
    assert "map of" not in chart(full_snapshot(LATER)).footer
    assert "map of 12:00 NY" in chart(full_snapshot(NOON + timedelta(minutes=5))).footer


@pytest.mark.parametrize(
    ("seen", "day_map", "why"),
    [
        (snapshot(scopes={}), made_map(), "it needs every contract, and schwab gives figures"),
        (full_snapshot(), None, "no map yet: the engine makes one a minute"),
        (
            full_snapshot(NOON + timedelta(minutes=11)),
            made_map(),
            f"is from {stamp(NOON)}, its figures from {stamp(NOON + timedelta(minutes=11))}",
        ),
        (full_snapshot(), made_map(scopes={"zero": (0,), "full": ()}), "no figures by open interest of scope full"),
    ],
)
def test_why_there_is_no_map_is_said(seen, day_map, why):
    with pytest.raises(RequestError, match=why) as refused:
        ahead_chart(seen, day_map, Asked(scope="full", weight="oi", theme="dark", now=NOON))
    assert refused.value.remedy


def test_in_words_it_says_what_spot_would_meet_and_what_dealers_trade():
    seen = full_snapshot()
    text = alt_text(chart(seen, map_of(seen)))
    assert text.startswith("NQ_NDX: if price and time get there, by open interest")
    assert "Prices 24835.70 to 25286.80, 12:00 to 16:00 New York. At 25061.25 net" in text
    assert "at 12:00 and " in text
    assert "at 15:51, by when dealers have sold 6.38Bn because time passed" in text
    assert "most positive +" in text
    assert "most negative −" in text
    assert "put wall 24800" in text


def test_bought_and_sold_are_told_apart():
    seen = full_snapshot()
    sold, bought = (alt_text(chart(seen, map_of(seen), weight=weight)) for weight in ("oi", "vol"))
    assert "have sold" in sold
    assert "have bought" in bought


def test_a_chart_travels_in_few_bytes():
    seen = full_snapshot()
    assert len(msgspec.msgpack.encode(chart(seen, map_of(seen)))) < 40_000
