"""Sessions made up for tests: a path of spot, and snapshots of our own shape along it."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from msgspec.structs import replace

from streaming.calendar import NEW_YORK, session_on
from streaming.clock import epoch_ms
from streaming.history.grades import SpotAt
from tests.support.snapshots import snapshot

DAY = date(2026, 11, 20)
SESSION = session_on(DAY)


def at(text, day=DAY):
    """The instant of a New York hour such as 09:35 or 09:35:30, in ms."""
    return epoch_ms(datetime.combine(day, time.fromisoformat(text), NEW_YORK))


def path(*places, step_s=5, day=DAY):
    """Spot on straight lines through (hour, price), one value every `step_s`."""
    legs = [
        SpotAt(ms, first + (last - first) * (ms - at(begin, day)) / (at(end, day) - at(begin, day)))
        for (begin, first), (end, last) in pairwise(places)
        for ms in range(at(begin, day), at(end, day), step_s * 1000)
    ]
    return [*legs, SpotAt(at(places[-1][0], day), places[-1][1])]


def session_of(spots, **fields):
    """A snapshot of our own engine's shape for each of a path."""
    begun = datetime.combine(DAY, time(9, 30), NEW_YORK)
    for number, seen in enumerate(spots):
        asof = begun + timedelta(milliseconds=seen.at_ms - epoch_ms(begun))
        yield replace(snapshot("SPX", asof=asof, seq=number + 1, spot=seen.spot), **fields)
