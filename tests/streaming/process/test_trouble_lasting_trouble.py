"""streaming/process/trouble.py, and those who tell lasting trouble by it."""

import logging

import pytest

from streaming.process.trouble import LastingTrouble


@pytest.fixture
def told(caplog):
    now = [0.0]
    trouble = LastingTrouble(logging.getLogger("x"), monotonic=lambda: now[0])

    def happen(*, at_s, times=1):
        now[0] = at_s
        trouble.add("Redis refused.", times=times)
        return [record.message for record in caplog.records]

    return happen


def test_the_first_time_is_told_at_once_and_the_next_minute_only_counted(told):
    assert told(at_s=10.0) == ["Redis refused."]
    for second in range(11, 70):
        assert len(told(at_s=second, times=3)) == 1
    assert told(at_s=70.0)[1] == "Redis refused. (177 more like it in the last 60 s)"
    assert len(told(at_s=71.0)) == 2


def test_what_comes_back_after_a_quiet_minute_is_told_as_new(told):
    told(at_s=0.0)
    assert told(at_s=100.0)[1] == "Redis refused."
