"""When quotes were live, told from when they were fetched (`specs/gex-method.md` §5). Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from streaming.calendar import new_york, session_on

CBOE_DELAY: Final = timedelta(minutes=15)
NIGHT_DELAY: Final = timedelta(minutes=20)
_DAY: Final = timedelta(days=1)
_NIGHT_BEGINS: Final = time(20, 15)
_NIGHT_ENDS: Final = time(9, 15)


def last_quote_at(instant: datetime, *, delay: timedelta = timedelta(0)) -> datetime:
    """The newest moment of a regular session that a fetch at `instant` can show, in UTC.

    Within a session this is the instant less the feed's delay; on an evening, a night or a weekend the last close.
    """
    quoted = new_york(instant) - delay
    session = session_on(quoted.date())
    if session is not None and quoted >= session.open_at:
        return min(quoted, session.close_at).astimezone(UTC)
    day = quoted.date() - timedelta(days=1)
    while (session := session_on(day)) is None:
        day -= timedelta(days=1)
    return session.close_at.astimezone(UTC)


def night_quote_at(fetched: datetime) -> datetime | None:
    """The quotes that a fetch of SPX's options shows in their night session, 20 minutes old, in UTC; None outside it.

    Only nights between two sessions count: what was downloaded on a Sunday evening still showed Friday's close.
    """
    quoted = new_york(fetched) - NIGHT_DELAY
    if _NIGHT_ENDS <= quoted.time() < _NIGHT_BEGINS:
        return None
    evening = quoted.date() if quoted.time() >= _NIGHT_BEGINS else quoted.date() - _DAY
    between = session_on(evening) is not None and session_on(evening + _DAY) is not None
    return quoted.astimezone(UTC) if between else None
