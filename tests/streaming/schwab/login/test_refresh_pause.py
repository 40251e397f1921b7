import random

import pytest

from streaming.errors import TransientError
from streaming.schwab.login.refresh_pause import RefreshPause
from tests.support.clock import ManualClock


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def pause(clock):
    return RefreshPause(clock, random.Random(1))


def test_without_a_failure_nothing_waits(pause):
    pause.check()
    assert pause.left_s == 0.0


def test_pauses_grow_with_jitter_up_to_a_minute(pause, clock):
    steps = []
    for _ in range(12):
        pause.begin(TransientError("down"))
        steps.append(pause.left_s)
        clock.advance(pause.left_s)
        pause.check()
    assert 1 <= steps[0] <= 2
    assert all(30 <= step <= 60 for step in steps[6:])
    assert len(set(steps)) == len(steps)


def test_a_pause_repeats_the_failure_with_the_time_that_is_left(pause, clock):
    pause.begin(TransientError("Schwab is down.", retry_after_s=90))
    clock.advance(30)
    with pytest.raises(TransientError, match="Schwab is down") as caught:
        pause.check()
    assert caught.value.retry_after_s == pytest.approx(60)


def test_a_success_ends_it_and_the_next_one_is_short_again(pause):
    for _ in range(8):
        pause.begin(TransientError("down"))
    pause.end()
    pause.check()
    pause.begin(TransientError("down"))
    assert pause.left_s <= 2
