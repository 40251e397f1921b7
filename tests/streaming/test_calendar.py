from datetime import UTC, date, datetime, time, timedelta

import pytest

from streaming.calendar import (
    NEW_YORK,
    close_time,
    closure,
    new_york,
    next_session,
    session_on,
    session_until_close,
    settle_at,
)


@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (date(2026, 8, 22), "weekend"),
        (date(2026, 8, 23), "weekend"),
        (date(2026, 1, 1), "New Year"),
        (date(2026, 1, 19), "Martin Luther King"),
        (date(2026, 2, 16), "Washington"),
        (date(2026, 4, 3), "Good Friday"),
        (date(2026, 5, 25), "Memorial Day"),
        (date(2026, 6, 19), "Juneteenth"),
        (date(2026, 7, 3), "Independence Day"),
        (date(2026, 9, 7), "Labor Day"),
        (date(2026, 11, 26), "Thanksgiving"),
        (date(2026, 12, 25), "Christmas"),
        (date(2025, 1, 9), ""),
    ],
)
def test_a_closed_day_says_why(day, reason):
    assert reason in closure(day)
    assert session_on(day) is None


def test_days_the_federal_government_takes_but_the_exchange_does_not_are_open():
    assert closure(date(2026, 10, 12)) is None, "Columbus Day"
    assert closure(date(2026, 11, 11)) is None, "Veterans Day"


def test_new_years_day_on_a_saturday_closes_no_friday():
    assert closure(date(2021, 12, 31)) is None


@pytest.mark.parametrize("day", [date(2026, 11, 27), date(2026, 12, 24), date(2025, 7, 3), date(2024, 7, 3)])
def test_half_days_end_at_one_and_say_why(day):
    session = session_on(day)
    assert close_time(day) == time(13)
    assert session.close_at == datetime.combine(day, time(13), NEW_YORK)
    assert session.early_close
    assert "(" not in session.early_close


def test_a_full_day_runs_from_half_past_nine_to_four():
    session = session_on(date(2026, 8, 20))
    assert session.open_at.isoformat() == "2026-08-20T09:30:00-04:00"
    assert session.close_at.isoformat() == "2026-08-20T16:00:00-04:00"
    assert session.early_close is None


def test_a_year_has_its_usual_number_of_sessions():
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert sum(session_on(day) is not None for day in days) == 251


def test_the_next_session_skips_weekends_and_holidays():
    assert next_session(date(2026, 7, 2)).date == date(2026, 7, 6)
    assert next_session(date(2026, 12, 31)).date == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("expiry", "am", "utc"),
    [
        (date(2026, 3, 6), False, "2026-03-06T21:00:00+00:00"),
        (date(2026, 3, 9), False, "2026-03-09T20:00:00+00:00"),
        (date(2026, 10, 30), False, "2026-10-30T20:00:00+00:00"),
        (date(2026, 11, 2), False, "2026-11-02T21:00:00+00:00"),
        (date(2026, 8, 21), True, "2026-08-21T13:30:00+00:00"),
        (date(2026, 11, 27), False, "2026-11-27T18:00:00+00:00"),
        (date(2026, 12, 18), True, "2026-12-18T14:30:00+00:00"),
    ],
)
def test_settlement_follows_new_york_through_clock_changes_and_half_days(expiry, am, utc):
    assert settle_at(expiry, am=am).isoformat() == utc


def test_a_naive_time_is_refused():
    with pytest.raises(ValueError, match="naive"):
        new_york(datetime(2026, 8, 20))  # noqa: DTZ001
    assert new_york(datetime(2026, 8, 20, 13, 30, tzinfo=UTC)).hour == 9


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2023-06-09T04:00", 9),
        ("2023-06-09T15:59:59", 9),
        ("2023-06-09T16:00", 12),
        ("2023-06-11T12:00", 12),
        ("2023-06-16T16:00", 20),
    ],
    ids=["night", "last second", "close", "weekend", "before a holiday"],
)
def test_the_session_that_closes_next_is_todays_until_its_close(at, day):
    found = session_until_close(datetime.fromisoformat(at).replace(tzinfo=NEW_YORK))
    assert found.date == date(2023, 6, day)
