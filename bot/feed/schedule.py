"""When the feed shows live figures, that in words, and when a message is replaced by a new one. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from bot.render.message_form import stamp
from streaming.calendar import NEW_YORK, TradingSession, closure, new_york, next_session, session_on
from streaming.clock import date_of
from streaming.freshness import market_now
from streaming.model import GexSnapshot

_DISCORD_EPOCH_MS: Final = 1_420_070_400_000
FEED_OPENS: Final = time(9, 35)
"""Five minutes after the bell: the first prints and quotes have settled."""


@dataclass(frozen=True, slots=True)
class FeedDecision:
    """Whether the feed is open at an instant, why, and until when that holds."""

    is_open: bool
    reason: str
    """"open", "open at any hour", "weekend", a day, "not open yet", "after the close"; the hour is `until`."""
    since: datetime | None
    """When this state began, on a New York clock; None when forced or not yet opened today."""
    until: datetime | None
    """When the decision changes, on a New York clock; None when forced."""
    session: date | None
    """The New York date that messages of this instant belong to; None on days without a session."""


def decide(now: datetime, *, force: bool = False) -> FeedDecision:
    """Open from 09:35 New York to the session's close; `force` comes before everything else."""
    local = new_york(now)
    today = local.date()
    if force:
        return FeedDecision(True, "open at any hour", None, None, today)
    session = session_on(today)
    if session is None:
        return FeedDecision(False, closure(today) or "no session", None, _feed_opens_at(next_session(today)), None)
    if local < _feed_opens_at(session):
        return FeedDecision(False, "not open yet", None, _feed_opens_at(session), today)
    if local < session.close_at:
        return FeedDecision(True, "open", _feed_opens_at(session), session.close_at, today)
    tomorrow = _feed_opens_at(next_session(today))
    return FeedDecision(False, _after_the_close(session), session.close_at, tomorrow, today)


def decide_about(
    snapshot: GexSnapshot | None, now: datetime, *, force: bool = False, lived: date | None = None
) -> FeedDecision:
    """The same with a snapshot at hand: a forced window over a replay goes by the replayed day, at any of its hours.

    Only the session that was `lived` closes when its own close is replayed. Another producer's mark opens and closes
    nothing.
    """
    if not (force and snapshot is not None and snapshot.replay is not None and snapshot.replay.rules):
        return decide(now, force=force)
    at = market_now(snapshot, now)
    decision = decide(at)
    is_over = decision.since is not None and lived is not None and decision.session == lived
    return decision if decision.is_open or is_over else decide(at, force=True)


def window_sentence(decision: FeedDecision) -> str:
    """Whether boards are live now and until when, which Discord shows in each reader's own time."""
    state = decision.reason if decision.is_open else f"closed: {decision.reason}"
    if decision.until is None:
        return state
    return f"{state} until {stamp(decision.until)}"


def next_mark(after: datetime, refresh_minutes: int) -> datetime:
    """The first refresh mark later than `after`, in UTC.

    A mark is a whole minute whose New York wall clock is a multiple of `refresh_minutes` since midnight, so
    midnight always is one. An hour that the clocks skip has none, an hour that they repeat has them twice.
    """
    minute = after.astimezone(UTC).replace(second=0, microsecond=0)
    while True:
        minute += timedelta(minutes=1)
        wall = minute.astimezone(NEW_YORK)
        if (wall.hour * 60 + wall.minute) % refresh_minutes == 0:
            return minute


def posted_s(message_id: int | None, now_s: float) -> float:
    """When a message of Discord's was posted, which its id tells; now for one that is still to be (Unix seconds).

    Discord's developer documentation, "Snowflakes": milliseconds since 2015 above 22 other bits.
    """
    return now_s if message_id is None else ((message_id >> 22) + _DISCORD_EPOCH_MS) / 1000


def close_of(session: str | None) -> datetime | None:
    """When the session of an ISO date closes; None for what is no session."""
    day = date_of(session)
    found = None if day is None else session_on(day)
    return None if found is None else found.close_at


def _feed_opens_at(session: TradingSession) -> datetime:
    return datetime.combine(session.date, FEED_OPENS, NEW_YORK)


def _after_the_close(session: TradingSession) -> str:
    cause = f", {session.early_close}" if session.early_close else ""
    return f"after the close{cause}"


def opening_sentence(decision: FeedDecision, *, prose: bool = False) -> str | None:
    """When the live messages come; None while they are open, or when nobody knows. In `prose` in each reader's time."""
    if decision.is_open or decision.until is None:
        return None
    at = stamp(decision.until, "F") if prose else f"{decision.until:%A %d %B at %H:%M} New York"
    return f"The feed is closed ({decision.reason}). The first live message comes on {at}."
