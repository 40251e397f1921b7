"""Whether the figures of a snapshot may fire alerts at all, and if not, why not. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.alerts.kinds.registry import KINDS
from bot.alerts.rules import AlertKind
from streaming.calendar import new_york, session_on
from streaming.clock import instant_of
from streaming.freshness import Freshness, data_age_s, freshness, old_chain_s
from streaming.model import GexSnapshot

_CLOSING: Final = timedelta(minutes=5)
_WARMING: Final = timedelta(minutes=15)
_LONGEST_DELAY_S: Final = 7200.0
_FIGURES_ONLY: Final = frozenset({"warming", "old chain"})


class Hold(StrEnum):
    """Why nothing fires just now; the words are for people."""

    STALE = "stale"
    AHEAD = "clock ahead"
    CLOSED = "closed"
    CLOSING = "closing"
    """From five minutes before anything in scope settles: gamma at the money explodes (specs/gex-method.md §15)."""
    WARMING = "warming"
    """The first fifteen minutes, while volume is too small to mean anything (specs/gex-method.md §10)."""
    OLD_CHAIN = "old chain"

    def holds(self, kind: AlertKind) -> bool:
        """Whether a kind of alert waits too: a price is a price also in the opening minutes or over an old chain."""
        return not KINDS[kind].fixed or self.value not in _FIGURES_ONLY

    @property
    def frozen(self) -> bool:
        """Whether it is the hour that holds, and not the data."""
        return self in {Hold.CLOSED, Hold.CLOSING, Hold.WARMING}


def is_current(snapshot: GexSnapshot, now: datetime) -> Hold | None:
    """None for live quotes, for a replay as it plays, and for a source that is delayed by its nature."""
    match freshness(snapshot, now):
        case Freshness.LIVE:
            return None
        case Freshness.AHEAD:
            return Hold.AHEAD
        case Freshness.DELAYED if data_age_s(snapshot, now) <= _LONGEST_DELAY_S:
            return None
        case _:
            return Hold.STALE


def held_by(snapshot: GexSnapshot, now: datetime, *, any_hour: bool = False) -> Hold | None:
    """What keeps this snapshot from firing alerts; `any_hour` (GEX_FEED_FORCE_WINDOW) lets a closed market fire."""
    old_chain = None if old_chain_s(snapshot) is None else Hold.OLD_CHAIN
    return is_current(snapshot, now) or _hour(snapshot, any_hour=any_hour) or old_chain


def _hour(snapshot: GexSnapshot, *, any_hour: bool) -> Hold | None:
    """The hour as the producer says it; one that only ever says "live" may not know it, so the calendar is asked."""
    hold = _STATES.get(snapshot.state) or _by_calendar(instant_of(snapshot.asof_ms))
    return None if any_hour and hold is Hold.CLOSED else hold


_STATES: Final = {"closed": Hold.CLOSED, "closing": Hold.CLOSING, "warming": Hold.WARMING}


def _by_calendar(at: datetime) -> Hold | None:
    session = session_on(new_york(at).date())
    if session is None or not session.open_at <= at < session.close_at:
        return Hold.CLOSED
    if at >= session.close_at - _CLOSING:
        return Hold.CLOSING
    return Hold.WARMING if at < session.open_at + _WARMING else None
