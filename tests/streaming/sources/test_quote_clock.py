"""When quotes were live."""

from datetime import datetime

import pytest

from streaming.calendar import NEW_YORK
from streaming.sources.quote_clock import CBOE_DELAY, last_quote_at


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
