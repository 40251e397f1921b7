"""A trading day in virtual time: `python -m tests.fuzz.virtual_day`; it takes well under a minute."""

import logging
import sys
import time
from datetime import UTC, datetime

from tests.fuzz.virtual_storm import Deed, Verdict, play

HALF_DAY = datetime(2026, 11, 27, 14, 34, tzinfo=UTC)
"""The Friday after Thanksgiving, 09:34 in New York; it closes at 13:00."""
LONG_S = 3 * 3600 + 28 * 60.0
_DAY = (
    Deed(900.0, "terminate", {"place": "bot0", "for_s": 3.0}),
    Deed(2700.0, "fault", {"kind": "fails", "for_s": 240.0}),
    Deed(4500.0, "store", {"state": "refuses", "for_s": 120.0}),
    Deed(6300.0, "pause", {"place": "bot0", "for_s": 60.0}),
    Deed(8100.0, "silence", {"for_s": 300.0}),
    Deed(9900.0, "kill", {"place": "bot0", "for_s": 2.0}),
    Deed(11000.0, "moderate", {"channel_id": 1}),
)


def half_day(*, deeds: tuple[Deed, ...] = _DAY, start: datetime = HALF_DAY, ends_s: float = LONG_S) -> Verdict:
    """Before the feed opens until after it has closed: reposts, restart, outages, a pause, a process killed."""
    settings = {"gex_feed_refresh_minutes": 5}
    return play(list(deeds), seed=1, bots=1, ends_s=ends_s, start=start, channels=(1,), tick_s=1.0, settings=settings)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    began_s = time.perf_counter()
    day = half_day()
    posts = sum(" post " in line for line in day.trace)
    took = f"{time.perf_counter() - began_s:.1f} s: {len(day.trace)} changes and deeds, {posts} messages"
    sys.stdout.write(f"{took}\n{'; '.join(day.reasons) or 'clean'}\n")
    sys.exit(bool(day.reasons))
