import math
from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.render.charts.chart_words import (
    Band,
    band_of,
    drawn_by,
    figures_of,
    footer,
    levels,
    marks,
    net_millions,
    subtitle,
)
from streaming.clock import epoch_ms
from streaming.errors import RequestError
from streaming.figures import headline
from streaming.model import ReplayMark
from tests.support.charts import EXPIRIES, NOON, expecting, full_snapshot
from tests.support.feed import OPEN_AT, snapshot


def test_levels_by_open_interest_of_the_boards_scope_are_those_of_the_board():
    seen = full_snapshot(major_pos_oi=25100.0, major_neg_oi=24800.0)
    figures = headline(seen)
    assert levels(seen, "full", "oi") == {
        "spot": figures["spot"],
        "zero_gamma": figures["zero_gamma"],
        "call_wall": figures["call_wall"],
        "put_wall": figures["put_wall"],
    }


def test_levels_are_of_the_scope_and_weight_asked_for():
    seen = full_snapshot()
    assert levels(seen, "zero", "oi")["zero_gamma"] == 25061.25 - 55.25
    assert levels(seen, "full", "vol") == {
        "spot": 25061.25,
        "zero_gamma": None,
        "call_wall": 25150.0,
        "put_wall": 24750.0,
    }


def test_what_a_producer_does_not_give_is_no_level():
    seen = snapshot(scope=None, scopes={}, major_pos_vol=None, ladder_split=24951.5)
    assert levels(seen, "full", "oi")["zero_gamma"] == 24951.5, "its producer has one for both weights"
    assert levels(seen, "full", "vol")["zero_gamma"] == 24951.5
    assert levels(seen, "full", "vol")["call_wall"] is None


def test_an_unknown_level_is_not_drawn_and_the_others_have_their_own_names_by_volume_too():
    found = marks(full_snapshot(spot=math.nan), "full", "vol")
    assert [(mark.kind, mark.name) for mark in found] == [("call_wall", "call wall"), ("put_wall", "put wall")]


def test_a_scope_nobody_gives_is_refused_with_those_that_are_given():
    with pytest.raises(RequestError) as refused:
        figures_of(snapshot(), "all")
    assert refused.value.sentence == "schwab provides no all scope for NQ_NDX. Choose the scope full."
    assert figures_of(snapshot(scope=None, scopes={}), "all") is None


def test_net_is_in_millions_and_classic_where_there_is_nothing_else():
    assert net_millions(full_snapshot(), "full", "oi") == -900.0
    assert net_millions(snapshot(scopes={}), "full", "vol") == 1834.6


def test_the_subtitle_leaves_out_a_scope_that_is_not_stated():
    assert subtitle("full", "oi") == "by open interest · expiries up to 90 days"
    assert subtitle(None, "vol") == "by today's volume"


@pytest.mark.parametrize(
    ("age_s", "delayed", "words"),
    [
        (5, False, ""),
        (7, False, " · 7s stale"),
        (4000, False, " · old 1h"),
        (0, True, " · delayed 0s"),
        (900, True, " · delayed 15m"),
        (-3, False, ""),
        (-60, False, " · clock ahead"),
    ],
)
def test_the_footer_says_how_old_the_figures_were_when_drawn(age_s, delayed, words):
    text = footer(snapshot(delayed=delayed), OPEN_AT + timedelta(seconds=age_s), "note")
    assert text == f"schwab · 20 Aug 2026 · 09:40:00 New York\nnote{words}"


def test_a_closed_market_is_said():
    assert footer(snapshot(state="closed"), OPEN_AT, "note").endswith("note · market closed")


@pytest.mark.parametrize(("sent_before_s", "words"), [(1, "note"), (40, "note · old 40s")])
def test_a_replay_says_so_with_its_day_and_ages_by_when_it_was_played(sent_before_s, words):
    sent_ms = epoch_ms(NOON + timedelta(days=90)) - sent_before_s * 1000
    played = snapshot(source="replay", delayed=True, replay=ReplayMark(of="schwab", speed=10.0, sent_ms=sent_ms))
    text = footer(played, NOON + timedelta(days=90), "note")
    assert text == f"REPLAY 20 Aug 2026 x10 · 09:40:00 New York\n{words}"


def test_a_band_is_the_straddle_around_spot():
    assert band_of(full_snapshot(expected_move=expecting(42.5))) == Band(25018.75, 25103.75, EXPIRIES[0])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"expected_move": expecting(math.nan)},
        {"expected_move": expecting(-1.0)},
        {"expected_move": expecting(0.0)},
        {"expected_move": expecting(expiry="@everyone")},
        {"expected_move": expecting(), "spot": None},
    ],
)
def test_what_nobody_expects_is_not_shaded(changes):
    assert band_of(replace(full_snapshot(), **changes)) is None


@pytest.mark.parametrize(
    ("display_name", "drawn"),
    [
        ("Gamma Desk", "Gamma Desk"),
        ("γ-Стол", "γ-Стол"),
        ("\N{ROCKET} Gamma\n\u200b Desk \N{ROCKET}", "Gamma Desk"),
        ("\N{ROCKET}", "Gexcord"),
        (None, "Gexcord"),
    ],
)
def test_a_picture_names_the_bot_as_far_as_its_typeface_can(display_name, drawn):
    assert drawn_by(display_name) == drawn
