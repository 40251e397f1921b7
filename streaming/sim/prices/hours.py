"""When the simulated market moves, and when the day's figures start again, at which no trade happens. Pure.

See specs/schwab-wire.md §2.6-2.7, §2.18.
"""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from streaming.calendar import NEW_YORK, new_york, next_session, session_on

_START: Final = time(10, 30)
_PAUSE_START: Final = time(17, 0)
_PAUSE_END: Final = time(18, 0)
_FRIDAY: Final = 4
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_EVENING: Final = time(18)
_EVES: Final = frozenset({6, 0, 1, 2, 3})
"""Sunday to Thursday, the evenings on which futures begin a day."""


class Phase(StrEnum):
    """What trades at an instant."""

    CASH = "cash"
    FUTURES = "futures"
    CLOSED = "closed"


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


class Reset(StrEnum):
    """What happens to the figures at an instant."""

    PRICES = "prices"
    """03:30: open, high and low become 0, the last price becomes the close; options' volume becomes 0."""
    VOLUME = "volume"
    """07:28: the volume of shares and the open of options become 0."""
    CLOSES = "closes"
    """07:29:50: options get the close of the day before."""
    FUTURES = "futures"
    """18:00: the futures' next trading day begins."""


_MORNING: Final = (
    (time(3, 30), Reset.PRICES),
    (time(7, 28), Reset.VOLUME),
    (time(7, 29, 50), Reset.CLOSES),
)


def next_reset(after_s: float) -> tuple[float, Reset]:
    """The first reset after an epoch second, and its own second."""
    day = datetime.fromtimestamp(after_s, NEW_YORK).date()
    while True:
        for at_s, reset in resets_on(day):
            if at_s > after_s:
                return at_s, reset
        day += timedelta(days=1)


@lru_cache(maxsize=8)
def resets_on(day: date) -> tuple[tuple[float, Reset], ...]:
    """The resets of a New York date in order; its morning ones only when it has a session."""
    times = [*_MORNING] if session_on(day) is not None else []
    if day.weekday() in _EVES:
        times.append((_EVENING, Reset.FUTURES))
    return tuple((datetime.combine(day, at, NEW_YORK).timestamp(), reset) for at, reset in times)


def simulated_start(today: datetime) -> datetime:
    """10:30 in New York on the session of that day, or of the next session when there is none."""
    day = new_york(today).date()
    session = session_on(day) or next_session(day)
    return datetime.combine(session.date, _START, NEW_YORK)
