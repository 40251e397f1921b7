from datetime import timedelta

import msgspec
import pytest

from bot.render.charts.chart_spec import KINDS, alt_text, chart_decoder, chart_of
from bot.render.charts.chart_words import Asked
from tests.support.charts import NOON, day, full_snapshot, past
from tests.support.day_maps import map_of


def made(kind, seen, **asked):
    day_map = asked.pop("day_map", map_of(seen[-1]))
    usual = {"scope": "full", "weight": "oi", "theme": "dark", "now": NOON}
    return chart_of(kind, seen[-1], past(seen), Asked(**(usual | asked)), day_map)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_travels_to_the_worker_and_is_told_apart_there(kind):
    seen = day(20)
    chart = chart_of(
        kind, seen[-1], past(seen), Asked(scope="full", weight="oi", theme="light", now=NOON), map_of(seen[-1])
    )
    body = msgspec.msgpack.encode(chart)
    assert chart_decoder().decode(body) == chart
    assert msgspec.msgpack.decode(body)["type"] == kind
    assert chart.theme == "light"
    assert len(body) < 200_000


@pytest.mark.parametrize("kind", KINDS)
def test_equal_wishes_are_equal_requests(kind):
    charts = [made(kind, day(20)) for _ in range(2)]
    assert msgspec.msgpack.encode(charts[0]) == msgspec.msgpack.encode(charts[1])


def words(kind, *, seen=None, weight="oi", scope="full"):
    seen = seen or day(20)
    return alt_text(
        chart_of(
            kind,
            seen[-1],
            past(seen),
            Asked(scope=scope, weight=weight, theme="dark", now=NOON),
            day_map=map_of(seen[-1]),
        )
    )


def test_strikes_in_words():
    assert words("strikes", seen=[full_snapshot()]) == (
        "NQ_NDX: net GEX by strike, by open interest, expiries up to 90 days. Net −0.900Bn, most positive +0.0960Bn "
        "at 25860, most negative −0.0630Bn at 24270, spot 25061.25, zero gamma 24950.75, call wall 25100, "
        "put wall 24800. schwab, 20 Aug 2026, 12:00:00 New York, levels by open interest."
    )


def test_a_profile_in_words_names_its_flips():
    text = words("profile")
    assert "From −2.20Bn at 22600.00 to +2.70Bn at 27500.00, at spot −0.900Bn" in text
    assert "The sign changes at" in text
    assert "downwards" in text
    assert "upwards" in text
    assert "never changes sign" in words("profile", weight="vol")


def test_a_history_in_words_says_how_each_line_ran():
    text = words("history")
    assert "From 11:41 to 12:00 New York: spot 25000.00 to 25069" in text
    assert "call wall 25100;" in text
    assert "zero gamma unknown" in words("history", weight="vol")


def test_a_heatmap_in_words_says_what_it_spans():
    text = words("heatmap")
    assert "20 times from 11:41 to 12:00 New York, at last net −0.900Bn, strikes 24200 to 25890" in text
    assert "most positive +0.0363Bn at 25890, most negative −0.0200Bn at 24200, spot 25069" in text


def test_expiries_in_words_are_every_row():
    assert "20 Aug · 0 d" not in words("expiries").split("Net")[0]
    assert "20 Aug · 0 d −0.300Bn, 21 Aug · 1 d −0.250Bn" in words("expiries")


def test_a_flow_in_words_is_its_extremes_and_what_it_comes_to():
    assert words("flow") == (
        "NQ_NDX: signed flow, dealers' delta, streamed strikes only. 24 minutes from 11:36 to 11:59 New York, most "
        "+0.0040Bn at 11:39, least −0.0050Bn at 11:40; in all +0.0030Bn of delta and −0.0800Bn of gamma per 1 %. "
        "schwab, 20 Aug 2026, 12:00:00 New York, 23% of contracts seen, 12% unsure."
    )


@pytest.mark.parametrize("kind", KINDS)
def test_discords_limit_holds_and_age_is_said(kind):
    seen = [full_snapshot(NOON - timedelta(seconds=60 + 60 * n), delayed=True) for n in range(300, -1, -1)]
    text = words(kind, seen=seen)
    assert len(text) <= 1024
    assert "delayed 1m" in text
