"""What the hour means for the figures: warming, live, closing, closed (`specs/gex-method.md` §10, §15)."""

from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np

from streaming.calendar import new_york, session_on
from streaming.gex.pricing.formulas import Floats

State = Literal["live", "warming", "closing", "closed"]
WARMING: Final = timedelta(minutes=15)
CLOSING_S: Final = 300.0


def market_state(at: datetime, settle_s: Floats) -> State:
    """The state at an instant; `settle_s` holds the settlement instants of the scope's living lines.

    closed outside the session; closing for 5 minutes before any of them settles; warming until 15 minutes after
    the open, while volume is too small to mean much.
    """
    session = session_on(new_york(at).date())
    if session is None or not session.open_at <= at < session.close_at:
        return "closed"
    left_s = settle_s - at.timestamp()
    if bool(np.any((left_s > 0.0) & (left_s <= CLOSING_S))):
        return "closing"
    return "warming" if at < session.open_at + WARMING else "live"


def session_key(at: datetime) -> tuple[str, bool]:
    """Names the session an instant belongs to; changes at the open and at midnight."""
    day = new_york(at).date()
    session = session_on(day)
    return day.isoformat(), session is not None and at >= session.open_at
