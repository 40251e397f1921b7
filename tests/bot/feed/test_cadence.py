from bot.feed.cadence import Cadence


def test_beats_lie_on_a_grid_that_does_not_drift():
    cadence = Cadence(10.0, 1.0)
    due = []
    for late in (0.0, 0.3, 0.9, 0.0):
        due.append(cadence.due_s)
        assert cadence.advance(cadence.due_s + late) == 0
    assert due == [10.0, 11.0, 12.0, 13.0]


def test_a_late_beat_is_made_while_its_period_lasts():
    cadence = Cadence(10.0, 1.0)
    assert cadence.advance(11.02) == 0
    assert cadence.due_s == 11.0
    assert cadence.advance(11.1) == 0
    assert cadence.due_s == 12.0


def test_older_beats_are_counted_and_left_out():
    cadence = Cadence(10.0, 1.0)
    assert cadence.advance(13.2) == 2
    assert cadence.due_s == 13.0


def test_an_early_return_never_beats_twice():
    cadence = Cadence(10.0, 0.25)
    cadence.advance(9.0)
    assert cadence.due_s == 10.25


def test_five_calls_in_five_seconds_lose_no_beat():
    """discord.py holds the fifth call back until the window of five seconds ends."""
    cadence, now_s, edits, window_s = Cadence(0.0, 1.0), 0.0, 0, 0.0
    while now_s < 600:
        now_s = max(now_s, cadence.due_s)
        if edits % 5 == 0:
            window_s = now_s
        edits += 1
        now_s = window_s + 5.004 if edits % 5 == 0 else now_s + 0.05
        cadence.advance(now_s)
    assert edits >= 0.99 * 600
