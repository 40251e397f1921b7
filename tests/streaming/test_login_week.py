from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from streaming.login_week import advice, due_stage, end_words, plan, reminder_at

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 8, 20, 13, 40, tzinfo=UTC)
WEDNESDAY = datetime(2026, 8, 19, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left_h", "stage"),
    [
        (168, None),
        (48.1, None),
        (48, 48),
        (30, 48),
        (24, 24),
        (6.01, 24),
        (6, 6),
        (1.5, 6),
        (1, 1),
        (0.01, 1),
        (0, None),
    ],
)
def test_the_latest_stage_that_has_come_is_due(left_h, stage):
    assert due_stage(NOW + timedelta(hours=left_h), NOW) == stage


@pytest.mark.parametrize(("hours", "at"), [(48, "17T10:12"), (24, "18T10:12"), (6, "18T21:45"), (1, "19T09:12")])
def test_a_reminder_that_would_come_in_the_night_comes_in_the_evening_before(hours, at):
    assert reminder_at(WEDNESDAY, hours, ZoneInfo("America/New_York")).isoformat()[8:16] == at


def test_the_night_is_that_of_whoever_looks_after_the_login():
    ends_at = datetime(2026, 8, 19, 4, 0, tzinfo=UTC)
    assert reminder_at(ends_at, 1, BERLIN).isoformat() == "2026-08-18T21:45:00+02:00"
    assert reminder_at(ends_at, 1, ZoneInfo("Asia/Tokyo")).isoformat() == "2026-08-19T12:00:00+09:00"


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe"])
def test_no_reminder_is_in_the_night_nor_after_the_end(zone):
    here = ZoneInfo(zone)
    for hour in range(0, 24 * 400, 7):
        ends_at = NOW + timedelta(hours=hour, minutes=hour % 60)
        for hours in (48, 24, 6, 1):
            at = reminder_at(ends_at, hours, here)
            assert 7 <= at.hour < 22
            assert timedelta(hours=hours - 2) < ends_at - at < timedelta(hours=hours + 12)


def test_what_was_missed_waits_for_the_morning_unless_the_login_is_over_by_then():
    two_at_night = datetime(2026, 8, 20, 6, 0, tzinfo=UTC)
    assert due_stage(two_at_night + timedelta(hours=20), two_at_night) is None
    assert due_stage(two_at_night + timedelta(hours=20), two_at_night + timedelta(hours=5)) == 24
    assert due_stage(two_at_night + timedelta(hours=4), two_at_night) == 1


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 8, 14, 12, 0, tzinfo=UTC), "log in on Sunday evening"),
        (datetime(2026, 8, 16, 20, 0, tzinfo=UTC), "log in this evening"),
        (datetime(2026, 8, 17, 12, 0, tzinfo=UTC), "log in on Tuesday evening"),
        (datetime(2026, 8, 18, 20, 0, tzinfo=UTC), "log in this evening"),
        (datetime(2026, 8, 19, 12, 0, tzinfo=UTC), "log in now"),
    ],
)
def test_an_end_in_session_is_best_moved_to_a_sunday_evening(now, words):
    assert plan(WEDNESDAY, now) == f"ends Wednesday 10:12 New York, in session: {words}"


def test_an_end_outside_the_session_says_so():
    sunday = datetime(2026, 8, 24, 0, 30, tzinfo=UTC)
    assert end_words(sunday) == "Sunday 20:30 New York, outside the session"
    assert end_words(sunday, BERLIN) == "Monday 02:30 Berlin, outside the session"
    assert advice(sunday, sunday - timedelta(days=6)) == "log in on Sunday evening"
