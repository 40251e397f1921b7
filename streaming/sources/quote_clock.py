"""When quotes were live, told from when they were fetched (`gex.md` §5). Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from streaming.calendar import new_york, session_on

CBOE_DELAY: Final = timedelta(minutes=15)


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
