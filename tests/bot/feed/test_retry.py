import random

from bot.feed.retry import Deletions, Patience, Retry


def test_transient_delays_double_up_to_a_minute():
    retry = Retry(random.Random(3))
    delays = [retry.delay_s() for _ in range(12)]
    assert all(0.5 * 2**n <= delay <= 2**n for n, delay in enumerate(delays[:6]))
    assert all(30 <= delay <= 60 for delay in delays[6:])


def test_a_cap_of_ones_own():
    retry = Retry(random.Random(3), cap_s=10)
    assert all(retry.delay_s() <= 10 for _ in range(50))


def test_what_a_person_must_mend_is_looked_at_soon_and_then_every_ten_minutes():
    patience = Patience()
    assert [patience.delay_s() for _ in range(8)] == [15, 30, 60, 120, 300, 600, 600, 600]
    patience.over()
    assert patience.delay_s() == 15


def test_a_message_deleted_again_and_again_is_posted_ever_more_slowly_until_there_is_peace():
    deletions = Deletions()
    assert [deletions.delay_s(now_s) for now_s in (0, 2, 8, 40, 400)] == [1, 5, 30, 300, 300]
    assert deletions.again_and_again
    assert deletions.delay_s(2000) == 1
    assert not deletions.again_and_again


def test_a_success_starts_over():
    retry = Retry(random.Random(3))
    for _ in range(5):
        retry.delay_s()
    retry.succeeded()
    assert retry.delay_s() <= 1


def test_the_other_sides_wish_is_the_least():
    assert Retry(random.Random(3)).delay_s(least_s=17) == 17
