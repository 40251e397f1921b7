"""The time axis of pictures and tables of a day: New York seconds, gaps found, rows spread evenly. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, TypeVar

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.past import PastLevels

_GAP: Final = 3.0
"""Times the usual distance between two snapshots: farther apart, and something is missing between them."""
_SMALLEST_GAP_S: Final = 30.0
Past = TypeVar("Past", bound=PastLevels)


def same_day(latest: Past, history: Sequence[Past]) -> list[Past]:
    """The day's snapshots in order of their time, ending with the latest; other days and later times are left out."""
    today = day_of(latest)
    unique = {seen.asof_ms: seen for seen in history if seen.asof_ms < latest.asof_ms and day_of(seen) == today}
    return [unique[asof_ms] for asof_ms in sorted(unique)] + [latest]


def day_of(snapshot: PastLevels) -> str:
    """The date in New York."""
    return new_york(instant_of(snapshot.asof_ms)).date().isoformat()


def seconds_of(snapshot: PastLevels) -> float:
    """Seconds since midnight of New York's clock."""
    return clock_seconds(snapshot.asof_ms)


def clock_seconds(at_ms: int) -> float:
    """The same of an instant."""
    local = new_york(instant_of(at_ms))
    return local.hour * 3600.0 + local.minute * 60.0 + local.second + local.microsecond / 1e6


def usual_gap_s(times: Sequence[float]) -> float:
    """The longest distance between two times that is no gap."""
    return max(_GAP * usual_distance_s(times), _SMALLEST_GAP_S)


def usual_distance_s(times: Sequence[float]) -> float:
    """The median distance between neighbours; 0 when there are none."""
    distances = [later - earlier for earlier, later in pairwise(times)]
    return median(distances) if distances else 0.0


def spread(day: Sequence[Past], most: int) -> list[Past]:
    """At most `most` of the snapshots, first and last among them, as evenly spread over time as they come."""
    if len(day) <= most:
        return list(day)
    first, last = day[0].asof_ms, day[-1].asof_ms
    chosen: list[Past] = []
    place = 0
    for step in range(most):
        due = first + (last - first) * step / (most - 1)
        while place + 1 < len(day) and abs(day[place + 1].asof_ms - due) <= abs(day[place].asof_ms - due):
            place += 1
        if not chosen or chosen[-1] is not day[place]:
            chosen.append(day[place])
    return chosen
