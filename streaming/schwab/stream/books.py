"""Schwab's books as what they are: a montage of every venue's own best quote (specs/schwab-wire.md §2.12). Pure."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from operator import attrgetter
from typing import Final

from streaming.calendar import NEW_YORK
from streaming.clock import instant_of
from streaming.model import BookLevel, VenueQuote
from streaming.schwab.wire.rows import DAY_MS, BookEntry, BookLevelRow

_FUTURE_LIMIT_MS: Final = 60_000


class EasternMidnight:
    """Midnight in New York before an instant; remembers the last day, since books come in order."""

    def __init__(self) -> None:
        self._start_ms = 0
        self._end_ms = 0

    def before(self, instant_ms: int) -> int:
        """Epoch milliseconds of the midnight that began the New York day of `instant_ms`."""
        if not self._start_ms <= instant_ms < self._end_ms:
            day = instant_of(instant_ms).astimezone(NEW_YORK).date()
            start = datetime.combine(day, time(), NEW_YORK)
            end = datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
            self._start_ms, self._end_ms = int(start.timestamp()) * 1000, int(end.timestamp()) * 1000
        return self._start_ms


def book_levels(
    side: Sequence[BookLevelRow] | None, midnight_ms: int, book_ms: int, *, descending: bool
) -> tuple[BookLevel, ...]:
    """The levels of one side, best price first; venue times as epoch milliseconds.

    A venue time that lies more than a minute after the book is dropped, the venue stays.
    """
    if not side:
        return ()
    last_ms = min(DAY_MS - 1, book_ms + _FUTURE_LIMIT_MS - midnight_ms)
    levels = []
    for row in side:
        entries = row.entries
        if len(entries) == 1:  # most levels; the busiest lines of the stream, hence the plain case in place
            entry = entries[0]
            day_ms = entry.day_ms
            quote_ms = midnight_ms + day_ms if day_ms <= last_ms else None
            venues: tuple[VenueQuote, ...] = (VenueQuote(entry.venue, entry.size, quote_ms),)
        else:
            venues = tuple([_venue(entry, midnight_ms, last_ms) for entry in entries])
        levels.append(BookLevel(row.price, row.size, venues))
    if len(levels) > 1:
        levels.sort(key=_price, reverse=descending)
    return tuple(levels)


_price: Final = attrgetter("price")


def _venue(entry: BookEntry, midnight_ms: int, last_ms: int) -> VenueQuote:
    quote_ms = midnight_ms + entry.day_ms if entry.day_ms <= last_ms else None
    return VenueQuote(entry.venue, entry.size, quote_ms)
