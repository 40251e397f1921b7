"""When the day's figures start again, at which no trade happens (specs/schwab-wire.md §2.6-2.7, §2.18). Pure."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from streaming.calendar import NEW_YORK, session_on


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
_EVENING: Final = time(18)
_EVES: Final = frozenset({6, 0, 1, 2, 3})
"""Sunday to Thursday, the evenings on which futures begin a day."""


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
