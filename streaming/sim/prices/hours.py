"""When the simulated market moves: the cash session, the futures' night, or not at all. Pure."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from streaming.calendar import NEW_YORK, session_on


class Phase(StrEnum):
    """What trades at an instant."""

    CASH = "cash"
    FUTURES = "futures"
    CLOSED = "closed"


_PAUSE_START: Final = time(17, 0)
_PAUSE_END: Final = time(18, 0)
_FRIDAY: Final = 4
_SATURDAY: Final = 5
_SUNDAY: Final = 6


def phase_at(instant_s: float, *, always_open: bool) -> tuple[Phase, float]:
    """The phase at an epoch second, and the second at which it may change.

    A market that is `always_open` is in its cash session for ever.
    """
    if always_open:
        return Phase.CASH, float("inf")
    day = datetime.fromtimestamp(instant_s, NEW_YORK).date()
    for until_s, phase in _phases(day):
        if instant_s < until_s:
            return phase, until_s
    raise AssertionError("a day ends at midnight")


@lru_cache(maxsize=8)
def _phases(day: date) -> tuple[tuple[float, Phase], ...]:
    """The phases of a New York day as (end, phase), in order."""
    session = session_on(day)
    before = Phase.CLOSED if day.weekday() in {_SATURDAY, _SUNDAY} else Phase.FUTURES
    after = Phase.CLOSED if day.weekday() in {_FRIDAY, _SATURDAY} else Phase.FUTURES
    phases = []
    if session is not None:
        phases += [(session.open_at.timestamp(), before), (session.close_at.timestamp(), Phase.CASH)]
    phases += [
        (_second(day, _PAUSE_START), before),
        (_second(day, _PAUSE_END), Phase.CLOSED),
        (_second(day + timedelta(days=1), time(0)), after),
    ]
    return tuple(phases)


def _second(day: date, moment: time) -> float:
    return datetime.combine(day, moment, NEW_YORK).timestamp()
