"""streaming/process/backoff.py"""

import random

from streaming.process.backoff import Backoff, delay_s


def test_delays_double_up_to_the_cap_with_jitter():
    backoff = Backoff(random.Random(1), first_s=0.1, cap_s=1.0)
    ceilings = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    delays = [backoff.next_s() for _ in ceilings]
    assert all(ceiling / 2 <= delay <= ceiling for delay, ceiling in zip(delays, ceilings, strict=True))
    assert len(set(delays)) == len(delays)


def test_a_reset_begins_with_the_shortest_again():
    backoff = Backoff(random.Random(1), first_s=0.1, cap_s=1.0)
    for _ in range(5):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 0.1


def test_after_very_many_failures_the_delay_is_still_the_cap():
    assert 0.5 <= delay_s(5000, random.Random(1), first_s=0.1, cap_s=1.0) <= 1.0


def test_the_other_sides_wish_is_the_least_even_above_the_cap():
    assert delay_s(0, random.Random(1), first_s=0.1, cap_s=1.0, least_s=17.0) == 17.0
