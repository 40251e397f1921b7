from datetime import datetime

import pytest

from streaming.calendar import NEW_YORK
from streaming.schwab.stream.watch import session_age_s


@pytest.mark.parametrize(
    ("symbol", "local", "age_s"),
    [
        ("SPY", "2026-08-20 09:29:59", None),
        ("SPY", "2026-08-20 09:30", 0),
        ("$SPX", "2026-08-20 15:59:59", 6.5 * 3600 - 1),
        ("SPY", "2026-08-20 16:00", None),
        ("SPY", "2026-08-22 12:00", None),  # Saturday
        ("SPY", "2026-11-26 12:00", None),  # Thanksgiving
        ("SPY", "2026-11-27 12:59", 3.5 * 3600 - 60),  # half day
        ("SPY", "2026-11-27 13:00", None),
        ("SPXW  260820C06880000", "2026-08-20 10:30", 3600),
        ("/ES", "2026-08-20 16:59", 22 * 3600 + 59 * 60),
        ("/ES", "2026-08-20 17:00", None),
        ("/ES", "2026-08-20 17:59", None),
        ("/ES", "2026-08-20 18:00", 0),
        ("/ES", "2026-08-21 18:00", None),  # Friday evening
        ("/ES", "2026-08-22 12:00", None),
        ("/ES", "2026-08-23 17:59", None),
        ("/ES", "2026-08-23 18:00", 0),  # Sunday evening
        ("/ES", "2026-11-27 12:59", 18 * 3600 + 59 * 60),
        ("/ES", "2026-11-27 13:00", None),
        ("/ES", "2026-11-26 12:00", None),
        ("/ESZ26", "2026-08-20 02:00", 8 * 3600),
    ],
)
def test_silence_means_something_only_in_a_symbols_session(symbol, local, age_s):
    now = datetime.fromisoformat(local).replace(tzinfo=NEW_YORK)
    assert session_age_s(symbol, now) == age_s
