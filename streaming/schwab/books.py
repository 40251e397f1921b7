"""Schwab's books as what they are: a montage of every venue's own best quote (schwab-api.md §2.12). Pure."""

from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from typing import Final

from msgspec import UnsetType

from streaming.calendar import NEW_YORK
from streaming.model import BookLevel, VenueQuote
from streaming.schwab.rows import BookEntry, BookLevelRow
from streaming.schwab.values import LARGEST_COUNT, Wire, count

_FUTURE_LIMIT_MS: Final = 60_000
_DAY_MS: Final = 86_400_000


class EasternMidnight:
    """Midnight in New York before an instant; remembers the last day, since books come in order."""

    def __init__(self) -> None:
        self._start_ms = 0
        self._end_ms = 0

    def before(self, instant_ms: int) -> int:
        """Epoch milliseconds of the midnight that began the New York day of `instant_ms`."""
        if not self._start_ms <= instant_ms < self._end_ms:
            day = datetime.fromtimestamp(instant_ms / 1000.0, UTC).astimezone(NEW_YORK).date()
            start = datetime.combine(day, time(), NEW_YORK)
            end = datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
            self._start_ms, self._end_ms = int(start.timestamp()) * 1000, int(end.timestamp()) * 1000
        return self._start_ms


def book_levels(
    side: list[BookLevelRow] | UnsetType | None, midnight_ms: int, book_ms: int, *, descending: bool
) -> tuple[BookLevel, ...]:
    """The levels of one side, best price first; venue times as epoch milliseconds.

    A venue time that lies more than a minute after the book is dropped, the venue stays.
    """
    if not isinstance(side, list):
        return ()
    limit_ms = book_ms + _FUTURE_LIMIT_MS
    last_ms = min(_DAY_MS - 1, limit_ms - midnight_ms)
    levels = []
    for row in side:
        venues = []
        for entry in row.entries if isinstance(row.entries, list) else ():
            size, day_ms = entry.size, entry.day_ms
            # The plain case in place: thirty entries a book make this the busiest line of the stream.
            if type(size) is int and type(day_ms) is int and 0 <= size < LARGEST_COUNT and 0 <= day_ms <= last_ms:
                venues.append(VenueQuote(venue=entry.venue, size=size, quote_ms=midnight_ms + day_ms))
            else:
                venues.append(_venue(entry, midnight_ms, limit_ms))
        levels.append(BookLevel(price=row.price, size=count(row.size) or 0, venues=tuple(venues)))
    if len(levels) > 1:
        levels.sort(key=_price, reverse=descending)
    return tuple(levels)


_price: Final = attrgetter("price")


def _venue(entry: BookEntry, midnight_ms: int, limit_ms: int) -> VenueQuote:
    quote_ms = _quote_ms(entry.day_ms, midnight_ms, limit_ms)
    return VenueQuote(venue=entry.venue, size=count(entry.size) or 0, quote_ms=quote_ms)


def _quote_ms(day_ms: Wire, midnight_ms: int, limit_ms: int) -> int | None:
    if not isinstance(day_ms, (int, float)) or not 0 <= day_ms < _DAY_MS:
        return None
    moment = midnight_ms + int(day_ms)
    return moment if moment <= limit_ms else None
