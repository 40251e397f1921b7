from bot.feed.cadence import Cadence


def test_beats_lie_on_a_grid_that_does_not_drift():
    cadence = Cadence(10.0, 1.0)
    due = []
    for late in (0.0, 0.3, 0.9, 0.0):
        due.append(cadence.due_s)
        assert cadence.advance(cadence.due_s + late) == 0
    assert due == [10.0, 11.0, 12.0, 13.0]


def test_beats_that_were_slept_through_are_counted_and_left_out():
    cadence = Cadence(10.0, 1.0)
    assert cadence.advance(13.2) == 3
    assert cadence.due_s == 14.0


def test_an_early_return_never_beats_twice():
    cadence = Cadence(10.0, 0.25)
    cadence.advance(9.0)
    assert cadence.due_s == 10.25
