from datetime import UTC, datetime

import pytest

from streaming.calendar import new_york
from streaming.schwab.stream import watch as watch_module
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.watch import DataWatch, Look

NOON = datetime(2026, 8, 20, 16, 0, tzinfo=UTC)
OPEN = datetime(2026, 8, 20, 13, 30, 5, tzinfo=UTC)
NIGHT = datetime(2026, 8, 20, 6, 0, tzinfo=UTC)
OPTION = "SPXW  260820C06880000"


@pytest.fixture
def watch():
    watch = DataWatch(StreamTiming(first_image_s=15.0, data_silence_s=120.0))
    watch.subscribed(["SPY", "QQQ"], 100.0)
    return watch


def test_a_subscribed_symbol_without_an_image_is_missing_after_a_while(watch):
    assert watch.look(["SPY"], NOON, 114.9) == Look()
    assert watch.look(["SPY", "NEW"], NOON, 115.0).missing == ("SPY",)


def test_nobody_is_missed_outside_the_session_nor_in_its_first_seconds(watch):
    assert watch.look(["SPY"], NIGHT, 5000.0) == Look()
    assert watch.look(["SPY"], OPEN, 5000.0) == Look()


def test_a_symbol_that_came_is_not_missing_and_after_five_minutes_quiet(watch):
    watch.arrived_s["SPY"] = 200.0
    watch.arrived_s["QQQ"] = 495.0
    assert watch.look(["SPY", "QQQ"], NOON, 499.0) == Look()
    assert watch.look(["SPY", "QQQ"], NOON, 500.0) == Look(quiet=("SPY",))


def test_the_data_is_dead_when_nothing_that_should_move_does(watch):
    watch.arrived_s |= {"SPY": 200.0, "QQQ": 210.0}
    assert not watch.look(["SPY", "QQQ"], NOON, 329.9).dead
    assert watch.look(["SPY", "QQQ"], NOON, 330.0).dead
    assert not watch.look(["SPY", "QQQ"], NIGHT, 330.0).dead


def test_an_option_that_does_not_trade_is_no_sign_of_death(watch):
    watch.subscribed([OPTION], 100.0)
    watch.arrived_s[OPTION] = 101.0
    assert not watch.look([OPTION], NOON, 999.0).dead


def test_what_was_unsubscribed_begins_anew(watch):
    watch.arrived_s["SPY"] = 200.0
    watch.unsubscribed(["SPY"])
    assert watch.look(["SPY"], NOON, 9999.0) == Look()
    watch.subscribed(["SPY"], 300.0)
    assert watch.look(["SPY"], NOON, 315.0).missing == ("SPY",)


def test_the_age_of_a_session_is_asked_once_for_each_kind_of_symbol_however_many_there_are(watch, monkeypatch):
    asked = []
    monkeypatch.setattr(watch_module, "new_york", lambda now: asked.append(now) or new_york(now))
    symbols = [f"A{n}" for n in range(500)]
    watch.subscribed(symbols, 100.0)
    assert len(watch.look(symbols, NOON, 115.0).missing) == 500
    assert len(asked) == 1
