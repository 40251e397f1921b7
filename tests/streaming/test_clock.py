"""streaming/clock.py"""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from streaming.clock import ShiftedClock, SystemClock, epoch_ms, instant_of

START = datetime(2024, 3, 1, 14, 30, tzinfo=UTC)


def test_the_system_clock_knows_its_zone():
    assert SystemClock().now().tzinfo is UTC


async def test_a_wait_of_nothing_or_less_only_yields():
    clock = SystemClock()
    began_s = clock.monotonic()
    await clock.sleep(-60.0)
    assert clock.monotonic() - began_s < 1.0


def test_a_shifted_clock_starts_where_it_is_told_and_runs_at_the_pace_of_real_time():
    clock = ShiftedClock(START)
    began_s = clock.monotonic()
    first = clock.now()
    assert timedelta(0) <= first - START < timedelta(seconds=5)
    while clock.monotonic() - began_s < 0.02:
        pass
    assert timedelta(milliseconds=15) < clock.now() - START < timedelta(seconds=5)


def test_a_shifted_clock_speaks_utc_and_wants_an_aware_beginning():
    elsewhere = START.astimezone(timezone(timedelta(hours=9)))
    assert ShiftedClock(elsewhere).now().tzinfo is UTC
    with pytest.raises(ValueError, match="aware"):
        ShiftedClock(START.replace(tzinfo=None))


def test_milliseconds_and_instants_are_the_same_in_both_directions():
    assert epoch_ms(datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)) == 1500
    assert instant_of(epoch_ms(START)) == START
    assert instant_of(1500).isoformat() == "1970-01-01T00:00:01.500000+00:00"
