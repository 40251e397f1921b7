"""One rule, one reading after another: what is remembered, and what is due."""

import pytest

from bot.alerts.reading import Reading, WallReading
from bot.alerts.rules import AlertState
from bot.alerts.steps import (
    BACK_MS,
    HOLD_MS,
    Moment,
    fire_crossing,
    fire_wall,
    is_cool,
    is_late,
    step_crossing,
    step_wall,
)

LEVEL = 6400.0


class Crossing:
    """Spot against a level, a reading a second."""

    def __init__(self, *, fixed=True, one_way=False):
        self.state = AlertState()
        self.how = {"fixed": fixed, "one_way": one_way}

    def at(self, second, value, *, level=LEVEL, origin="schwab"):
        reading = Reading(value=value, level=level, up=1.0, down=1.0)
        return step_crossing(self.state, reading, Moment(int(second * 1000), origin), **self.how)


def test_the_first_reading_is_only_learnt():
    crossing = Crossing()
    assert not crossing.at(0, 6390.0)
    assert (crossing.state.told, crossing.state.side) == (-1, -1)


def test_within_the_margin_nothing_changes():
    crossing = Crossing()
    crossing.at(0, 6390.0)
    assert not crossing.at(1, 6400.9)
    assert crossing.at(2, 6401.0)


def test_what_is_due_stays_due_until_it_is_told_or_takes_itself_back():
    crossing = Crossing()
    crossing.at(0, 6390.0)
    assert crossing.at(1, 6405.0) and crossing.at(2, 6405.0)
    assert not crossing.at(3, 6390.0)
    assert crossing.at(4, 6405.0)
    fire_crossing(crossing.state, Reading(6405.0, LEVEL, 1.0, 1.0), 4000)
    assert not crossing.at(5, 6405.0)
    assert (crossing.state.told, crossing.state.fired_ms, crossing.state.episode) == (1, 4000, 1)


def test_two_ways_tell_of_the_way_down():
    crossing = Crossing()
    crossing.at(0, 6410.0)
    assert crossing.at(1, 6390.0)


def test_one_way_takes_the_way_down_without_a_word():
    crossing = Crossing(one_way=True)
    crossing.at(0, 6410.0)
    assert not crossing.at(1, 6390.0)
    assert crossing.state.told == -1
    assert crossing.at(2, 6410.0)


def test_a_level_that_jumps_past_the_figure_must_stand_first():
    crossing = Crossing(fixed=False)
    crossing.at(0, 6390.0)
    assert not crossing.at(1, 6390.0, level=6380.0)
    assert not crossing.at(1 + HOLD_MS / 1000 - 1, 6390.0, level=6380.0)
    assert crossing.at(1 + HOLD_MS / 1000, 6390.0, level=6380.0)
    assert crossing.state.by_level


def test_another_producer_an_earlier_time_and_a_long_gap_begin_anew():
    for second, value, origin in ((1, 6410.0, "cboe"), (-100, 6410.0, "schwab"), (3600, 6410.0, "schwab")):
        crossing = Crossing(fixed=False)
        crossing.at(0, 6390.0)
        assert not crossing.at(second, value, origin=origin)
        assert crossing.state.told == 1


def test_a_fixed_price_is_compared_over_any_gap_which_is_remembered():
    crossing = Crossing()
    crossing.at(0, 6390.0)
    assert crossing.at(3600, 6410.0)
    assert crossing.state.gap_ms == 0


def test_a_gap_is_measured_by_the_usual_pace():
    assert Moment(120_000, "cboe").is_gap(0)
    assert not Moment(120_000, "cboe", usual_ms=60_000).is_gap(0)
    assert not Moment(3_600_000, "cboe", usual_ms=1_800_000).is_long_gap(0)


class Wall:
    def __init__(self):
        self.state = AlertState()

    def at(self, second, level, strikes=None, *, least=None):
        reading = WallReading(level=level, basis=0.0, strikes=strikes or {})
        return step_wall(self.state, reading, Moment(int(second * 1000), "schwab"), least=least)


def test_a_wall_that_stands_elsewhere_long_enough_has_moved():
    wall = Wall()
    assert not wall.at(0, 6450.0)
    assert not wall.at(1, 6475.0)
    assert wall.at(1 + HOLD_MS / 1000, 6475.0)
    fire_wall(wall.state, WallReading(6475.0, 0.0, {}), 11_000)
    assert (wall.state.level, wall.state.episode) == (6475.0, 1)
    assert not wall.at(30, 6475.0)


def test_a_wall_that_comes_back_or_wanders_on_begins_its_wait_again():
    wall = Wall()
    wall.at(0, 6450.0)
    for second, level in ((1, 6475.0), (6, 6450.0), (9, 6475.0), (14, 6500.0)):
        assert not wall.at(second, level)
    assert not wall.at(14 + HOLD_MS / 1000 - 1, 6500.0)
    assert wall.at(14 + HOLD_MS / 1000, 6500.0)


def test_two_strikes_of_nearly_the_same_weight_are_one_wall():
    wall = Wall()
    wall.at(0, 6450.0)
    for second in (1, 20):
        assert not wall.at(second, 6475.0, {6450.0: 9.8, 6475.0: 10.0})
    assert not wall.at(21, 6475.0, {6450.0: 5.0, 6475.0: 10.0})
    assert wall.at(40, 6475.0, {6450.0: 5.0, 6475.0: 10.0})


def test_a_move_smaller_than_asked_for_is_none():
    wall = Wall()
    wall.at(0, 6450.0)
    for second in (1, 20):
        assert not wall.at(second, 6475.0, least=50.0)


@pytest.mark.parametrize(("fired_ms", "cool"), [(None, True), (0, False), (-1, False), (-60_000, True)])
def test_a_cool_down_is_counted_from_the_last_message(fired_ms, cool):
    assert is_cool(AlertState(fired_ms=fired_ms), 0, 60_000) is cool


@pytest.mark.parametrize(
    ("asof_ms", "late"), [(100_001, False), (100_000, True), (100_000 - BACK_MS, True), (99_999 - BACK_MS, False)]
)
def test_a_snapshot_a_little_older_than_the_newest_is_no_news(asof_ms, late):
    assert is_late(AlertState(seen_ms=100_000), asof_ms) is late
