"""What the hour means for the figures: warming, live, closing, closed (`specs/gex-method.md` §10, §15)."""

from datetime import datetime, timedelta
from typing import Final, Literal

from streaming.calendar import new_york, session_on

State = Literal["live", "warming", "closing", "closed"]
WARMING: Final = timedelta(minutes=15)
CLOSING_S: Final = 300.0
Session = tuple[str, bool]
"""What names one."""


def market_state(at: datetime, next_settle_s: float | None) -> State:
    """The state at an instant; `next_settle_s` is when the first of the scope's lines settles after it, epoch seconds.

    closed outside the session; closing for 5 minutes before that; warming until 15 minutes after the open, while
    volume is too small to mean much.
    """
    session = session_on(new_york(at).date())
    if session is None or not session.open_at <= at < session.close_at:
        return "closed"
    if next_settle_s is not None and next_settle_s - at.timestamp() <= CLOSING_S:
        return "closing"
    return "warming" if at < session.open_at + WARMING else "live"


def session_key(at: datetime) -> Session:
    """Names the session an instant belongs to; changes at the open and at midnight."""
    day = new_york(at).date()
    session = session_on(day)
    return day.isoformat(), session is not None and at >= session.open_at
