import random

from bot.feed.timing import Cadence, Deletions, PersonWaits, backoff


def test_transient_delays_double_up_to_a_minute():
    retry = backoff(random.Random(3))
    delays = [retry.next_s() for _ in range(12)]
    assert all(0.5 * 2**n <= delay <= 2**n for n, delay in enumerate(delays[:6]))
    assert all(30 <= delay <= 60 for delay in delays[6:])


def test_a_cap_of_ones_own():
    retry = backoff(random.Random(3), cap_s=10)
    assert all(retry.next_s() <= 10 for _ in range(50))


def test_what_a_person_must_mend_is_looked_at_soon_and_then_every_ten_minutes():
    waits = PersonWaits()
    assert [waits.delay_s() for _ in range(8)] == [15, 30, 60, 120, 300, 600, 600, 600]
    waits.over()
    assert waits.delay_s() == 15


def test_a_message_deleted_again_and_again_is_posted_ever_more_slowly_until_there_is_peace():
    deletions = Deletions()
    assert [deletions.delay_s(now_s) for now_s in (0, 2, 8, 40, 400)] == [1, 5, 30, 300, 300]
    assert deletions.again_and_again
    assert deletions.delay_s(2000) == 1
    assert not deletions.again_and_again


def test_a_success_starts_over():
    retry = backoff(random.Random(3))
    for _ in range(5):
        retry.next_s()
    retry.reset()
    assert retry.next_s() <= 1


def test_the_other_sides_wish_is_the_least():
    assert backoff(random.Random(3)).next_s(least_s=17) == 17


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
