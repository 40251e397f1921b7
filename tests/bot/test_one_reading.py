"""A figure is one and is called one thing, whoever asks for it."""

from datetime import timedelta

import msgspec
import pytest

from bot.alerts.kinds.registry import KINDS, read
from bot.alerts.reading import Reading
from bot.alerts.rules import AlertKind, Window
from bot.feed.window import Slot
from bot.feed.wording import board_view
from bot.render.charts.chart_words import Asked, marks
from bot.render.charts.history_text import history_text
from bot.render.charts.kinds.history import history_chart
from bot.render.embeds import levels_embed, status_embed
from bot.render.explain.explain import explanation
from bot.render.text import LABELS
from streaming.figures import BOARD, FIGURES, LEVELS
from streaming.past import past_of
from streaming.symbols import parse_ticker
from tests.support.snapshots import ASOF, snapshot

SHOWN = msgspec.structs.replace(snapshot(), scopes={}, scope="full", ladder_split=6380.0, source="gexbot")


def test_zero_gamma_of_a_classic_producer_is_the_same_everywhere():
    slot = Slot(60.0)
    slot.put(SHOWN)
    status = {field.name: field.value for field in status_embed(SHOWN, now=ASOF, window="open").fields}
    levels = {field.name: field.value for field in levels_embed(SHOWN, scope="full", weight="oi", now=ASOF).fields}
    earlier = past_of(msgspec.structs.replace(SHOWN, asof_ms=SHOWN.asof_ms - 60_000))
    chart = history_chart(SHOWN, [earlier], Asked(scope="full", weight="oi", theme="dark", now=ASOF))
    lines = {line.kind: line.values for line in chart.series}
    alert = read(SHOWN, (AlertKind.ZERO_GAMMA, None, "oi", Window.CURRENT))
    assert isinstance(alert, Reading)
    view = board_view(
        parse_ticker("SPX"), slot, ASOF + timedelta(seconds=1), source="gexbot", since=ASOF, window_s=60.0
    )
    assert view.figures["zero_gamma"].now == 6380.0
    assert status["Zero gamma (ladder split)"] == "6380.00", "what a classic producer gives by that name"
    assert levels["Zero gamma"].startswith("6380.00")
    assert "6380.00" in explanation(SHOWN, "zero_gamma")
    assert lines["zero_gamma"] == (6380.0, 6380.0)
    assert "6380.00" in history_text(SHOWN, [earlier], scope="full", weight="oi", now=ASOF)
    assert alert.level == 6380.0


@pytest.mark.parametrize("figure", LEVELS)
@pytest.mark.parametrize("weight", ["oi", "vol"])
def test_a_level_has_its_one_name_in_commands_pictures_and_alerts(figure, weight):
    named = FIGURES[figure]
    embed = levels_embed(snapshot(), scope="full", weight=weight, now=ASOF)
    drawn = {mark.kind: mark.name for mark in marks(snapshot(), "full", weight)}
    assert named.title in {field.name for field in embed.fields}
    assert (drawn[figure], named.name in LABELS) == (named.name, True)
    assert KINDS[AlertKind(figure)].choice.removeprefix("spot crosses ").removeprefix("the ") == named.name


def test_status_names_every_figure_of_the_board():
    shown = " ".join(field.name for field in status_embed(snapshot(), now=ASOF, window="open").fields).lower()
    assert [name for name in BOARD if FIGURES[name].title.lower() not in shown] == []
