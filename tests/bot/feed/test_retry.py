import random

from bot.feed.retry import Retry


def test_transient_delays_double_up_to_a_minute():
    retry = Retry(random.Random(3))
    delays = [retry.delay_s() for _ in range(12)]
    assert all(0.5 * 2**n <= delay <= 2**n for n, delay in enumerate(delays[:6]))
    assert all(30 <= delay <= 60 for delay in delays[6:])


def test_what_a_person_must_mend_is_tried_slowly():
    retry = Retry(random.Random(3))
    assert 15 <= retry.delay_s(operator=True) <= 30
    assert all(retry.delay_s(operator=True) <= 600 for _ in range(2000))


def test_a_success_starts_over():
    retry = Retry(random.Random(3))
    for _ in range(5):
        retry.delay_s()
    retry.succeeded()
    assert retry.delay_s() <= 1


def test_the_other_sides_wish_is_the_least():
    assert Retry(random.Random(3)).delay_s(least_s=17) == 17
