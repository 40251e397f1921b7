"""Every kind as it is drawn: no text small, touching another or cut off, and signs that do not need colour."""

import math
from datetime import timedelta
from itertools import combinations, cycle

import msgspec
import pytest

from bot.render.charts.chart_spec import KINDS, Chart, alt_text, chart_of
from bot.render.charts.chart_words import Asked
from bot.render.charts.chart_worker import Painters
from streaming.model import ReplayMark
from tests.support.charts import EXPIRIES, NOON, classic_strikes, day, expecting, flow_at, full_snapshot, past, scopes
from tests.support.day_maps import made_map, map_of
from tests.support.feed import snapshot

LATE = NOON + timedelta(minutes=15)
WIDE = {"delayed": True, "state": "closed", "source": "another-producer-xyz"}


@pytest.fixture(scope="module")
def painters() -> Painters:
    return Painters()


def chart(kind, seen=None, *, scope="full", weight="oi", theme="dark", now=NOON) -> Chart:
    seen = seen or day(40)
    return chart_of(
        kind,
        seen[-1],
        past(seen),
        Asked(scope=scope, weight=weight, theme=theme, now=now),
        day_map=map_of(seen[-1]) if kind == "map" else None,
    )


def canvas_of(painters, shown):
    painters.draw(shown)
    return painters.made(shown).canvas


def texts(canvas):
    """Every text that is seen and is not empty."""
    found = list(canvas.figure.texts)
    for axes in canvas.figure.axes:
        found += axes.texts
        if not axes.axison:
            continue
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            found += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def with_scopes(size, seen):
    """The same snapshot with all exposures so many times as large."""

    def scaled(figures):
        rows = {
            name: tuple((at, vol * size, oi * size) for at, vol, oi in getattr(figures, name))
            for name in ("ladder", "profile", "by_expiry")
        }
        return msgspec.structs.replace(figures, **rows)

    strikes = tuple((at, vol * size, oi * size, ()) for at, vol, oi, _ in seen.strikes)
    return msgspec.structs.replace(
        seen, strikes=strikes, scopes={name: scaled(one) for name, one in seen.scopes.items()}
    )


def moved(seen, share):
    """The same at another height of prices."""

    def scaled(figures):
        rows = {
            name: tuple((at * share, vol, oi) for at, vol, oi in getattr(figures, name))
            for name in ("ladder", "profile")
        }
        levels = {weight: _moved_levels(getattr(figures, weight), share) for weight in ("oi", "vol")}
        return msgspec.structs.replace(figures, **rows, **levels)

    strikes = tuple((at * share, vol, oi, ()) for at, vol, oi, _ in seen.strikes)
    return msgspec.structs.replace(
        seen, spot=seen.spot * share, strikes=strikes, scopes={name: scaled(one) for name, one in seen.scopes.items()}
    )


def _moved_levels(figures, share):
    names = ("zero_gamma", "call_wall", "put_wall")
    known = {name: getattr(figures, name) * share for name in names if getattr(figures, name) is not None}
    return msgspec.structs.replace(
        figures, **known, zero_gamma_roots=tuple(root * share for root in figures.zero_gamma_roots)
    )


def replayed(seen):
    return msgspec.structs.replace(
        seen, source="replay", replay=ReplayMark(of="schwab", speed=12.5, sent_ms=seen.asof_ms)
    )


def renamed(seen):
    return msgspec.structs.replace(seen, ticker="MNQ_NDX")


SHAPES = {
    "usual": lambda seen: seen,
    "wide words": lambda seen: msgspec.structs.replace(seen, **WIDE),
    "replay": replayed,
    "tiny exposures": lambda seen: with_scopes(1e-5, seen),
    "huge exposures": lambda seen: with_scopes(1e4, seen),
    "low prices": lambda seen: moved(seen, 0.01),
    "long name": renamed,
    "expected move": lambda seen: msgspec.structs.replace(seen, expected_move=expecting(1234.56)),
    "all wide": lambda seen: msgspec.structs.replace(seen, expected_move=expecting(), **WIDE),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_no_text_is_small_or_touches_another_or_leaves_the_picture(painters, kind, shape):
    seen = [SHAPES[shape](one) for one in day(40)]
    canvas = canvas_of(painters, chart(kind, seen, weight="oi" if len(shape) % 2 else "vol", now=LATE))
    assert_legible(canvas)


@pytest.mark.parametrize("shift", range(0, 100, 10))
def test_no_number_of_an_axis_is_cut_off_wherever_the_axis_ends(painters, shift):
    strikes = tuple((17700.0 + 10 * n + shift, 40.0 - n, n - 20.0, ()) for n in range(125))
    seen = snapshot(NOON, strikes=strikes, spot=18300.0, major_pos_oi=17900.0, major_neg_oi=17500.0)
    assert_legible(canvas_of(painters, chart("strikes", [seen])))
    days = [msgspec.structs.replace(one, strikes=strikes, spot=18300.0 + shift) for one in day(3)]
    assert_legible(canvas_of(painters, chart("heatmap", days)))


def assert_legible(canvas):
    seen_texts = texts(canvas)
    boxes = [(text.get_text(), text.get_window_extent()) for text in seen_texts]
    assert min(text.get_fontsize() for text in seen_texts) >= 18
    assert [text for text, box in boxes if not (box.x0 >= 0 <= box.y0 and box.x1 <= 1440 and box.y1 <= 960)] == []
    assert [(one, two) for (one, a), (two, b) in combinations(boxes, 2) if a.overlaps(b)] == []


@pytest.mark.parametrize(("kind", "theme"), list(zip(KINDS, cycle(("dark", "light")), strict=False)))
def test_the_same_chart_gives_the_same_picture_whatever_was_drawn_between(painters, kind, theme):
    wanted = chart(kind, theme=theme)
    first = painters.draw(wanted)
    for other in {kind, "strikes"}:
        painters.draw(chart(other, [with_scopes(7.0, seen) for seen in day(9)], weight="vol", theme=theme))
    assert painters.draw(wanted) == first
    assert painters.draw(msgspec.structs.replace(wanted, theme="light" if theme == "dark" else "dark")) != first


UNITS = ("", " move")


@pytest.mark.parametrize("kind", KINDS)
def test_every_axis_has_its_unit_and_the_picture_names_the_bot(painters, kind):
    words = {text.get_text() for text in texts(canvas_of(painters, chart(kind)))}
    across = {
        "strikes": "strike, points",
        "profile": "price of the underlying, points",
        "ladder": "puts −, calls +",
    }.get(kind, "New York time")
    assert "Gexcord" in words
    assert kind == "expiries" or any(word.startswith(across) for word in words)
    assert words & {
        "points",
        "each minute, $ Bn",
        *(f"$ Bn per 1 %{move}" for move in UNITS),
    }


@pytest.mark.parametrize("kind", ["heatmap", "strikes"])
def test_a_long_name_of_the_bot_is_cut_before_it_touches_the_title(painters, kind):
    named = canvas_of(painters, msgspec.structs.replace(chart(kind), bot="Worldwide Weekly Gamma Watchers"))
    assert_legible(named)
    assert "Worldwi" in named.bot.get_text()
    painters.draw(chart(kind))
    assert named.bot.get_text() == "Gexcord"


@pytest.mark.parametrize("kind", ["strikes", "profile", "heatmap", "expiries", "map", "flow"])
def test_signs_are_printed_beside_the_figures(painters, kind):
    words = [text.get_text() for text in texts(canvas_of(painters, chart(kind)))]
    figures = [word for word in words if word[:1] in "+−" and word[1:2].isdigit()]
    assert {word[0] for word in figures} == {"+", "−"}


@pytest.mark.parametrize("kind", ["profile", "heatmap", "expiries", "map", "flow"])
def test_what_is_negative_is_hatched(painters, kind):
    canvas = canvas_of(painters, chart(kind))
    hatched = [one for one in canvas.axes.collections if one.get_hatch() and one.get_paths()]
    assert hatched


def test_a_level_outside_the_picture_is_named_with_an_arrow(painters):
    far = msgspec.structs.replace(scopes(25061.25)["full"].oi, put_wall=18000.0)
    seen = full_snapshot(scopes={"full": msgspec.structs.replace(scopes(25061.25)["full"], oi=far)})
    words = {text.get_text() for text in texts(canvas_of(painters, chart("strikes", [seen])))}
    assert "◀ 18000" in words
    days = [msgspec.structs.replace(one, scopes=seen.scopes) for one in day(5)]
    words = {text.get_text() for text in texts(canvas_of(painters, chart("history", days)))}
    assert "▼ 18000" in words


def test_lines_are_told_apart_by_their_pattern(painters):
    canvas = canvas_of(painters, chart("history"))
    patterns = {str(line.get_linestyle()) for line in canvas.axes.lines if len(line.get_xdata())}
    assert len(patterns) == 4


def test_a_gap_is_a_gap_in_every_line_and_in_every_row(painters):
    seen = [*day(10, until=NOON - timedelta(minutes=60)), *day(10)]
    canvas = canvas_of(painters, chart("history", seen))
    assert all(any(math.isnan(value) for value in line.get_ydata()) for line in canvas.axes.lines)
    shown = chart("heatmap", seen)
    middle = (shown.columns[9].ends + shown.columns[10].begins) / 2
    canvas = canvas_of(painters, shown)
    paths = [path for one in canvas.axes.collections for path in one.get_paths()]
    heights = range(24600, 25400, 10)
    assert not any(path.contains_point((middle, height)) for path in paths for height in heights)
    before = shown.columns[9].begins + 1
    assert all(any(path.contains_point((before, height + 1)) for path in paths) for height in heights)


@pytest.mark.parametrize("size", [1e-7, 1e-3])
@pytest.mark.parametrize("kind", ["strikes", "profile", "heatmap", "expiries", "ladder", "map"])
def test_small_exposures_are_in_billions_too_and_their_figures_differ(painters, kind, size):
    canvas = canvas_of(painters, chart(kind, [with_scopes(size, one) for one in day(5)]))
    assert_legible(canvas)
    words = {text.get_text() for text in texts(canvas)}
    assert any("$ Bn" in word for word in words)
    assert not any("$ M" in word for word in words)
    signed = [word for word in words if word[:1] in "+−" and word[1:2].isdigit()]
    assert [word for word in signed if not any(digit in word for digit in "123456789")] == []


def test_a_map_has_high_prices_above_and_later_times_to_the_right(painters):
    shown = chart("map")
    cells = [0.0] * len(shown.gamma)
    cells[-27 + 3] = 5e3
    canvas = canvas_of(painters, msgspec.structs.replace(shown, gamma=tuple(cells)))
    (image,) = canvas.axes.images
    colours = image.get_array()
    odd = [(row, column) for row in range(61) for column in range(27) if (colours[row, column] != colours[0, 0]).any()]
    assert (odd, image.origin) == ([(60, 3)], "lower")


def test_levels_run_across_both_panels_of_a_map(painters):
    canvas = canvas_of(painters, chart("map"))
    panels = [axes for axes in canvas.figure.axes if axes.axison]
    seen = [{line.get_ydata()[0] for line in axes.lines if line.get_visible()} for axes in panels]
    spot = day(40)[-1].spot
    assert seen[0] == seen[1] == {spot, spot - 110.5, 24800.0, 25100.0}


@pytest.mark.parametrize("kind", ["strikes", "profile", "history"])
def test_what_is_expected_of_spot_is_shaded_and_said(painters, kind):
    seen = day(40, expected_move=expecting(80.0))
    frozen = {"history": seen[0]}.get(kind, seen[-1]).spot
    shown = chart(kind, seen)
    canvas = canvas_of(painters, shown)
    (corners,) = [one.get_paths()[0].vertices for one in canvas.axes.collections if one.get_zorder() == 0]
    prices = corners[:, 1] if kind == "history" else corners[:, 0]
    assert (prices.min(), prices.max()) == pytest.approx((frozen - 80.0, frozen + 80.0))
    assert any("shaded: expected ±80.00" in text.get_text() for text in texts(canvas))
    assert f"expected {frozen - 80.0:.2f} to {frozen + 80.0:.2f} by 2026-08-20" in alt_text(shown)
    without = canvas_of(painters, chart(kind))
    assert not any(one.get_paths() for one in without.axes.collections if one.get_zorder() == 0)
    assert not any("shaded" in text.get_text() for text in texts(without))


def test_flow_has_two_panels_with_a_unit_each_and_a_round_number_beside_zero(painters):
    canvas = canvas_of(painters, chart("flow", [full_snapshot(signed_flow=flow_at(NOON, size=400.0))]))
    words = [text.get_text() for text in texts(canvas)]
    assert {"each minute, $ Bn", "in all, $ Bn"} <= set(words)
    assert {"0", "+1"} <= set(words)
    flat = flow_at(NOON, size=0.0)
    assert_legible(canvas_of(painters, chart("flow", [full_snapshot(signed_flow=flat)])))


def test_an_expiry_whose_exposure_rounds_to_nothing_has_no_sign(painters):
    sums = ((EXPIRIES[0], 0.0, 5e10), (EXPIRIES[1], 0.0, -1e4), (EXPIRIES[2], 0.0, 1e4))
    everything = msgspec.structs.replace(scopes(25061.25)["all"], by_expiry=sums)
    seen = full_snapshot(scopes={"all": everything})
    words = [text.get_text() for text in canvas_of(painters, chart("expiries", [seen], scope="all")).axes.texts]
    assert words[:3] == ["+50.0", "0.0000", "0.0000"]


ODD = [
    chart("strikes", [snapshot(NOON, strikes=((25000.0, 1e-9, -1e-9, ()),))]),
    chart("strikes", [snapshot(NOON, strikes=((1.0, 1e12, 1.0, ()), (2.0, -1e12, -1.0, ())))], weight="vol"),
    chart("history", day(2, every_s=1.0)),
    chart(
        "history", [full_snapshot(NOON - timedelta(seconds=1), spot=1.0, scopes={}), full_snapshot(spot=1.0, scopes={})]
    ),
    chart(
        "heatmap", [full_snapshot(NOON - timedelta(seconds=5), strikes=((25000.0, 1.0, -1.0, ()),)), full_snapshot()]
    ),
    chart("heatmap", [full_snapshot(NOON - timedelta(hours=3)), full_snapshot(strikes=classic_strikes()[:1])]),
    chart_of(
        "map",
        full_snapshot(),
        (),
        Asked(scope="zero", weight="vol", theme="dark", now=NOON),
        day_map=made_map(prices=(25000.0,), times=1),
    ),
]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.title)
def test_odd_days_are_drawn_too(painters, odd):
    assert painters.draw(odd).startswith(b"\x89PNG")


def test_an_unknown_theme_is_dark(painters):
    wanted = chart("strikes")
    assert painters.draw(msgspec.structs.replace(wanted, theme="neon")) == painters.draw(wanted)


@pytest.mark.parametrize("name", ["$x^{y$", "$\\frac", "a$b_c$d"])
def test_what_stands_between_dollar_signs_is_drawn_as_it_is(painters, name):
    shown = msgspec.structs.replace(chart("strikes"), title=f"{name}  net GEX", footer=f"{name}\n{name}")
    canvas = canvas_of(painters, shown)
    assert canvas.title.get_text() == f"{name}  net GEX"
    assert not any(text.get_parse_math() for text in texts(canvas))
