from datetime import datetime

from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms
from streaming.schwab.stream.books import EasternMidnight, book_levels
from streaming.schwab.wire.rows import BookEntry, BookLevelRow


def ms(*when):
    return epoch_ms(datetime(*when, tzinfo=NEW_YORK))


def test_midnight_is_new_yorks_in_summer_and_winter():
    midnight = EasternMidnight()
    assert midnight.before(ms(2026, 8, 20, 9, 49)) == ms(2026, 8, 20)
    assert midnight.before(ms(2025, 12, 9, 23, 59)) == ms(2025, 12, 9)
    assert midnight.before(ms(2025, 12, 10, 0, 0)) == ms(2025, 12, 10)


def test_a_day_of_25_hours_ends_at_its_own_midnight():
    midnight = EasternMidnight()
    assert midnight.before(ms(2026, 11, 1, 23, 30)) == ms(2026, 11, 1)
    assert midnight.before(ms(2026, 11, 2, 0, 30)) == ms(2026, 11, 2)


def test_best_prices_come_first_on_both_sides():
    rows = [BookLevelRow(price=2.0, size=1), BookLevelRow(price=3.0, size=1), BookLevelRow(price=1.0, size=1)]
    assert [level.price for level in book_levels(list(rows), 0, 0, descending=True)] == [3.0, 2.0, 1.0]
    assert [level.price for level in book_levels(list(rows), 0, 0, descending=False)] == [1.0, 2.0, 3.0]


def test_an_absent_side_is_empty():
    assert book_levels([], 0, 0, descending=True) == ()
    assert book_levels(None, 0, 0, descending=True) == ()


def test_a_venue_time_in_the_future_is_dropped_and_the_venue_kept():
    book_ms = ms(2026, 8, 20, 9, 0)
    midnight_ms = ms(2026, 8, 20)
    entries = [
        BookEntry(venue="NYSE", size=5, day_ms=9 * 3_600_000 + 59_000),
        BookEntry(venue="ARCX", size=6, day_ms=9 * 3_600_000 + 61_000),
        BookEntry(venue="BATX", size=7, day_ms=90_000_000),
        BookEntry(venue="EDGX", size=8),
    ]
    (level,) = book_levels([BookLevelRow(price=1.0, size=26, entries=entries)], midnight_ms, book_ms, descending=True)
    assert [(venue.venue, venue.quote_ms) for venue in level.venues] == [
        ("NYSE", book_ms + 59_000),
        ("ARCX", None),
        ("BATX", None),
        ("EDGX", None),
    ]
