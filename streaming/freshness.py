"""What time it is in the market of a snapshot, how old it is and what that is called, with every limit. Pure.

A recording runs by a clock of its own.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from streaming.clock import epoch_ms, instant_of
from streaming.model import GexSnapshot

STALE_AFTER_S: Final = 5.0
OLD_AFTER_S: Final = 30.0
OLD_CHAIN_AFTER_S: Final = 600.0
"""From this age of its oldest part on a board says that its chain is old, and levels fire no alerts."""
DELAYED_AFTER_S: Final = 1800.0
"""A delayed source is behind by a quarter of an hour; what is older than this has stopped."""
_LONGEST_RUN_S: Final = 30.0
"""A replay that has been silent for longer has ended: its clock stands."""
_FASTEST: Final = 10_000.0


class Freshness(StrEnum):
    """How far the figures can be trusted as current."""

    LIVE = "live"
    STALE = "stale"
    """Older than 5 s."""
    OLD = "old"
    """Older than 30 s."""
    DELAYED = "delayed"
    """The source itself is delayed; the age is shown."""
    AHEAD = "clock ahead"
    """Quotes of more than 5 s in the future: some clock is wrong, so their age is unknown."""
    WAITING = "waiting"
    """Nothing has arrived yet."""
    CLOSED = "closed"
    """The session is over; the figures are its last."""
    STOPPED = "stopped"
    """The feed was shut down; nothing updates this message until it is back."""

    def words(self, old: str) -> str:
        """With its age where it matters: live, 7s stale, old 45s, delayed 15m."""
        match self:
            case Freshness.STALE:
                return f"{old} stale"
            case Freshness.OLD | Freshness.DELAYED:
                return f"{self} {old}"
            case _:
                return str(self)


def freshness(snapshot: GexSnapshot, now: datetime) -> Freshness:
    """Live up to 5 s, stale up to 30 s, old after that; a delayed source is called delayed at any age.

    What is played comes as late as it is played, whatever its producer did. A negative age is a time in the future,
    which beyond 5 s is no age at all.
    """
    age_s = data_age_s(snapshot, now)
    if age_s < -STALE_AFTER_S:
        return Freshness.AHEAD
    if snapshot.delayed and snapshot.replay is None:
        return Freshness.DELAYED
    if age_s <= STALE_AFTER_S:
        return Freshness.LIVE
    return Freshness.STALE if age_s <= OLD_AFTER_S else Freshness.OLD


def is_stale(snapshot: GexSnapshot, now: datetime) -> bool:
    """Whether a program should not act on the figures as those of this moment, or of a delayed source's.

    They are older than 5 s (of a delayed source: half an hour), some clock is wrong, or part of the chain is old.
    """
    found = freshness(snapshot, now)
    if found is Freshness.DELAYED:
        return data_age_s(snapshot, now) > DELAYED_AFTER_S
    return found is not Freshness.LIVE or old_chain_s(snapshot) is not None


def data_age_s(snapshot: GexSnapshot, now: datetime) -> float:
    """Seconds since the quotes were live, or since a recorded snapshot was played; negative when a clock is wrong."""
    since_ms = snapshot.asof_ms if snapshot.replay is None else snapshot.replay.sent_ms
    return (epoch_ms(now) - since_ms) / 1000


def old_chain_s(snapshot: GexSnapshot) -> float | None:
    """Seconds by which the oldest part of the chain is behind the quotes, where that is too much; else None.

    A delayed source is never behind itself.
    """
    if snapshot.chain_ms is None or snapshot.delayed:
        return None
    behind_s = (snapshot.asof_ms - snapshot.chain_ms) / 1000
    return behind_s if behind_s > OLD_CHAIN_AFTER_S else None


def market_now(snapshot: GexSnapshot | None, now: datetime) -> datetime:
    """`now`, or of a snapshot that is played from a recording the instant that its replay has reached, in UTC.

    `now` too for a replay whose hours rule nothing, being of somebody who does not hold the replay lease.
    """
    if snapshot is None or snapshot.replay is None or not snapshot.replay.rules:
        return now
    run_s = min(max((epoch_ms(now) - snapshot.replay.sent_ms) / 1000, 0.0), _LONGEST_RUN_S)
    speed = min(max(snapshot.replay.speed, 0.0), _FASTEST)
    return instant_of(snapshot.asof_ms) + timedelta(seconds=run_s * speed)
