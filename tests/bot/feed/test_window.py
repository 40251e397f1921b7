from datetime import timedelta

from bot.feed.window import RollingWindow, Slot
from streaming.clock import epoch_ms
from tests.support.feed import OPEN_AT, snapshot


def at(seconds: float, **changes: object):
    return snapshot(OPEN_AT + timedelta(seconds=seconds), **changes)


def asof(seconds: float) -> int:
    return epoch_ms(OPEN_AT + timedelta(seconds=seconds))


def filled(*seconds: float, window_s: float = 60) -> RollingWindow:
    window = RollingWindow(window_s)
    for second in seconds:
        window.add(at(second, spot=25000.0 + second))
    return window


def test_the_earlier_headline_is_the_newest_one_at_least_a_window_old():
    before = filled(0, 1, 2, 61).before(asof(61))
    assert before is not None
    assert before.headline["spot"] == 25001.0


def test_while_the_first_window_fills_its_first_sample_stands_in():
    before = filled(0, 30, 59).before(asof(59))
    assert before is not None
    assert before.asof_ms == asof(0)


UNKNOWN_YET = {"max_priors": ()}


def test_a_figure_first_known_later_is_stood_in_for_by_the_sample_that_first_knew_it():
    window = RollingWindow(60)
    window.add(at(0, spot=25000.0, **UNKNOWN_YET))
    window.add(at(3, spot=25003.0, max_priors=((25050.0, 7.0),)))
    window.add(at(20, spot=25020.0, max_priors=((25050.0, 9.0),)))
    early, filling, full = window.before(asof(6)), window.before(asof(20)), window.before(asof(61))
    assert early is not None and filling is not None and full is not None
    assert early.headline["max_change"] is None
    assert (filling.asof_ms, filling.headline["spot"], filling.headline["max_change"]) == (asof(0), 25000.0, 0.007)
    assert full.headline["max_change"] == 0.007, "no blank between the board's first window and the figure's"


def test_a_figure_that_appears_after_the_first_window_has_no_stand_in():
    window = RollingWindow(60)
    for second in range(100):
        window.add(at(second, **({} if second > 70 else UNKNOWN_YET)))
    before = window.before(asof(99))
    assert before is not None
    assert before.headline["max_change"] is None


def test_a_late_figure_does_not_bridge_a_gap_for_the_others():
    window = RollingWindow(60)
    window.add(at(0, **UNKNOWN_YET))
    window.add(at(30))
    window.add(at(80))
    before = window.before(asof(80))
    assert before is not None
    assert before.headline["spot"] is None
    assert before.headline["max_change"] == 0.0125


def test_a_sample_of_a_few_seconds_is_no_window_yet():
    assert filled(0, 4).before(asof(4)) is None


def test_the_stand_in_ends_with_the_first_window_and_a_later_gap_stays_a_gap():
    window = filled(0, 1, 2, 61, 62, 63)
    window.add(at(150))
    assert window.before(asof(150)) is None


def test_a_gap_is_not_bridged_with_an_older_value():
    assert filled(0, 80).before(asof(80)) is None
    assert filled(0, 75).before(asof(75)) is not None


def test_an_empty_window_knows_nothing():
    assert RollingWindow(60).before(asof(0)) is None


def test_a_long_window_is_bounded_by_count():
    window = RollingWindow(3600)
    for quarter in range(4 * 4600):
        window.add(at(quarter / 4))
    assert len(window) <= 512 * 1.25 + 2
    assert window.before(asof(4599.75)) is not None


def test_a_window_is_bounded_by_age():
    assert len(filled(0, 1, 2, 200)) == 1


def test_another_source_or_scope_starts_anew():
    for change in ({"source": "replay"}, {"scope": "zero"}, {"delayed": True}):
        window = filled(0, 1)
        window.add(at(61, **change))
        assert window.before(asof(61)) is None


def test_time_running_backwards_starts_anew():
    window = filled(0, 100)
    window.add(at(10, spot=24000.0))
    window.add(at(70))
    before = window.before(asof(70))
    assert before is not None
    assert before.headline["spot"] == 24000.0


def test_two_figures_for_one_instant_count_once():
    assert len(filled(5, 5, 5)) == 1


def test_a_slot_holds_the_newest_snapshot_only():
    slot = Slot(60)
    slot.put(at(0))
    newest = at(1)
    slot.put(newest)
    assert slot.latest is newest
