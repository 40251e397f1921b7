"""When an odd answer is believed."""

from datetime import UTC, datetime, timedelta

from streaming.chains.corroboration import Corroboration

AT = datetime(2026, 8, 20, 15, 0, tzinfo=UTC)


def told(*what_and_s):
    """What each of some answers came to, told as (what, seconds) about one subject."""
    odd = Corroboration(lambda one, other: one == other)
    return [odd.confirms("SPX", what, AT + timedelta(seconds=after_s)) for what, after_s in what_and_s]


def test_the_same_three_times_over_a_minute_is_believed():
    assert told(("a", 0), ("a", 30), ("a", 60)) == [False, False, True]


def test_often_within_a_minute_is_not_enough():
    assert told(*(("a", after_s) for after_s in range(0, 60, 5))) == [False] * 12


def test_twice_is_not_enough_however_long_it_takes():
    assert told(("a", 0), ("a", 900)) == [False, False]


def test_something_else_begins_anew():
    assert told(("a", 0), ("a", 30), ("b", 60), ("b", 90), ("b", 120)) == [False] * 4 + [True]


def test_a_believed_answer_in_between_begins_anew():
    odd = Corroboration(lambda one, other: one == other)
    for after_s in (0, 30):
        odd.confirms("SPX", "a", AT + timedelta(seconds=after_s))
    odd.settle("SPX")
    assert not odd.confirms("SPX", "a", AT + timedelta(seconds=60))


def test_subjects_do_not_speak_for_one_another():
    odd = Corroboration(lambda one, other: one == other)
    assert not any(odd.confirms(name, "a", AT + timedelta(seconds=n * 60)) for n, name in enumerate("xyz"))
