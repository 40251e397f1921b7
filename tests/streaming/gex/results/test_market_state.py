"""What the hour makes of the figures."""

from datetime import datetime

import pytest

from streaming.calendar import NEW_YORK, settle_at
from streaming.gex.results.market_state import market_state, session_key

CLOSE_S = settle_at(datetime(2024, 7, 2, tzinfo=NEW_YORK).date(), am=False).timestamp()


@pytest.mark.parametrize(
    ("hour", "state"),
    [
        ("09:29:59", "closed"),
        ("09:30:00", "warming"),
        ("09:44:59", "warming"),
        ("09:45:00", "live"),
        ("15:54:59", "live"),
        ("15:55:00", "closing"),
        ("15:59:59", "closing"),
        ("16:00:00", "closed"),
    ],
)
def test_the_states_of_a_day(hour: str, state: str):
    at = datetime.fromisoformat(f"2024-07-02T{hour}").replace(tzinfo=NEW_YORK)
    assert market_state(at, CLOSE_S) == state


def test_a_half_day_closes_at_one():
    at = datetime(2024, 7, 3, 12, 55, tzinfo=NEW_YORK)
    settles = settle_at(at.date(), am=False).timestamp()
    assert market_state(at, settles) == "closing"
    assert market_state(at.replace(hour=13, minute=0), settles) == "closed"


def test_holidays_and_weekends_are_closed():
    assert market_state(datetime(2024, 7, 4, 12, 0, tzinfo=NEW_YORK), CLOSE_S) == "closed"
    assert market_state(datetime(2024, 7, 6, 12, 0, tzinfo=NEW_YORK), CLOSE_S) == "closed"


def test_a_session_begins_at_the_open():
    before, after = (datetime(2024, 7, 2, 9, minute, tzinfo=NEW_YORK) for minute in (29, 30))
    assert session_key(before) != session_key(after)
    assert session_key(after) == session_key(after.replace(hour=20))
