"""When quotes were live."""

from datetime import datetime

import pytest

from streaming.calendar import NEW_YORK
from streaming.chains.quote_clock import CBOE_DELAY, last_quote_at, night_quote_at


@pytest.mark.parametrize(
    ("fetched", "quoted"),
    [
        ("2022-07-12 11:55", "2022-07-12 11:40"),
        ("2023-06-09 13:40", "2023-06-09 13:25"),
        ("2023-09-14 16:10", "2023-09-14 15:55"),
        ("2023-09-14 16:31", "2023-09-14 16:00"),
        ("2023-02-07 17:34", "2023-02-07 16:00"),
        ("2024-01-07 10:52", "2024-01-05 16:00"),
        ("2023-06-04 15:15", "2023-06-02 16:00"),
        ("2023-09-15 09:40", "2023-09-14 16:00"),
        ("2023-07-04 12:00", "2023-07-03 13:00"),
        ("2023-07-03 13:40", "2023-07-03 13:00"),
        ("2025-01-06 21:26", "2025-01-06 16:00"),
    ],
)
def test_a_delayed_feed_is_fifteen_minutes_old_in_a_session_and_at_the_close_outside(fetched: str, quoted: str):
    at = datetime.fromisoformat(fetched).replace(tzinfo=NEW_YORK)
    assert last_quote_at(at, delay=CBOE_DELAY) == datetime.fromisoformat(quoted).replace(tzinfo=NEW_YORK)


def test_without_delay_the_open_itself_counts():
    at = datetime(2023, 6, 9, 9, 30, tzinfo=NEW_YORK)
    assert last_quote_at(at) == at


@pytest.mark.parametrize(
    ("fetched", "quoted"),
    [
        ("2025-01-06 21:26", "2025-01-06 21:06"),
        ("2025-01-07 03:00", "2025-01-07 02:40"),
        ("2025-01-06 20:35", "2025-01-06 20:15"),
        ("2025-01-07 09:34", "2025-01-07 09:14"),
        ("2022-12-12 20:30", None),
        ("2025-01-07 09:35", None),
        ("2023-02-07 17:34", None),
        ("2023-08-20 22:42", None),
        ("2023-06-09 21:26", None),
        ("2023-06-10 03:00", None),
        ("2023-06-12 03:00", None),
        ("2023-07-03 21:26", None),
    ],
)
def test_the_night_session_of_spx_is_twenty_minutes_old_between_two_sessions_only(fetched: str, quoted: str | None):
    at = datetime.fromisoformat(fetched).replace(tzinfo=NEW_YORK)
    expected = None if quoted is None else datetime.fromisoformat(quoted).replace(tzinfo=NEW_YORK)
    assert night_quote_at(at) == expected
