"""What time it is in the market of a snapshot, and how old it is: a recording runs by a clock of its own. Pure."""

from datetime import datetime, timedelta
from typing import Final

from streaming.clock import epoch_ms, instant_of
from streaming.model import GexSnapshot

_LONGEST_RUN_S: Final = 30.0
"""A replay that has been silent for longer has ended: its clock stands."""
_FASTEST: Final = 10_000.0


def market_now(snapshot: GexSnapshot | None, now: datetime) -> datetime:
    """`now`, or of a snapshot that is played from a recording the instant that its replay has reached, in UTC.

    `now` too for a replay whose hours rule nothing, being of somebody who does not hold the replay lease.
    """
    if snapshot is None or snapshot.replay is None or not snapshot.replay.rules:
        return now
    run_s = min(max((epoch_ms(now) - snapshot.replay.sent_ms) / 1000, 0.0), _LONGEST_RUN_S)
    speed = min(max(snapshot.replay.speed, 0.0), _FASTEST)
    return instant_of(snapshot.asof_ms) + timedelta(seconds=run_s * speed)


def data_age_s(snapshot: GexSnapshot, now: datetime) -> float:
    """Seconds since the quotes were live, or since a recorded snapshot was played; negative when a clock is wrong."""
    since_ms = snapshot.asof_ms if snapshot.replay is None else snapshot.replay.sent_ms
    return (epoch_ms(now) - since_ms) / 1000
