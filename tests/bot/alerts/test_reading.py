"""What a rule compares, read off a snapshot."""

import math

import msgspec
import pytest

from bot.alerts.reading import WallReading, against, ladder, spot_margin
from streaming.model import ScopeFigures
from tests.support.alerts import shot
from tests.support.snapshots import snapshot


def test_spot_is_held_against_a_level_with_a_margin_on_both_sides():
    reading = against(shot(spot=6400.0), 6390.0)
    assert (reading.value, reading.level, reading.up, reading.down) == (6400.0, 6390.0, 1.28, 1.28)


@pytest.mark.parametrize(("spot", "level"), [(None, 6390.0), (math.nan, 6390.0), (6400.0, None)])
def test_without_spot_or_level_there_is_nothing_to_compare(spot, level):
    assert against(shot(spot=spot), level) is None


@pytest.mark.parametrize(("ticker", "margin"), [("SPX", 0.02), ("ES_SPX", 0.5), ("a ticker of no kind", 0.02)])
def test_the_margin_is_two_ticks_at_least(ticker, margin):
    assert spot_margin(msgspec.structs.replace(shot(spot=10.0), ticker=ticker)) == margin


def test_a_ladder_is_the_scopes_own_and_in_millions():
    rows = ScopeFigures(ladder=((6400.0, 2e6, -3e6),))
    seen = msgspec.structs.replace(snapshot(), scope="full", scopes={"full": rows})
    assert list(ladder(seen, None, "vol")) == list(ladder(seen, "full", "vol")) == [(6400.0, 2.0)]
    assert list(ladder(seen, "full", "oi")) == [(6400.0, -3.0)]


def test_the_classic_strikes_speak_for_their_own_scope_only():
    seen = msgspec.structs.replace(snapshot(), scope="full", scopes={})
    assert list(ladder(seen, "full", "vol")) == [(6395.0, 10.5), (6400.0, 0.0)]
    assert list(ladder(seen, None, "oi")) == [(6395.0, -3.25), (6400.0, 4.5)]
    assert list(ladder(seen, "zero", "vol")) == []


@pytest.mark.parametrize(("its", "noise"), [(96.0, True), (94.0, False), (-96.0, False), (200.0, True)])
def test_a_strike_worth_nearly_as_much_is_the_same_wall(its, noise):
    assert WallReading(6400.0, 0.0, {6400.0: 100.0, 6410.0: its}).rivals(6410.0) is noise


def test_a_strike_of_unknown_worth_is_another_wall():
    assert not WallReading(6400.0, 0.0, {6400.0: 100.0}).rivals(6410.0)
