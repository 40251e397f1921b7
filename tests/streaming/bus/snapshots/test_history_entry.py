"""Entries of a history read back, and which day may clear another."""

from datetime import datetime

import pytest

from streaming.bus.snapshots.history_entry import HistoryEntry, entry_of, market_day, outranks
from streaming.calendar import NEW_YORK
from streaming.clock import epoch_ms

NOON = epoch_ms(datetime(2026, 8, 20, 12, tzinfo=NEW_YORK))
DAY_MS = 86_400_000
WRITTEN = {b"data": b"{}", b"day": b"2026-08-20", b"asof_ms": str(NOON).encode()}


def test_an_entry_says_when_it_came_and_of_which_day_it_is():
    entry = entry_of((f"{NOON + 5}-3".encode(), WRITTEN))
    assert entry == HistoryEntry(f"{NOON + 5}-3".encode(), "2026-08-20", NOON, b"{}")
    assert entry.id_ms == NOON + 5


@pytest.mark.parametrize("name", WRITTEN)
def test_an_entry_that_lacks_a_field_is_none(name):
    assert entry_of((b"1-0", {key: value for key, value in WRITTEN.items() if key != name})) is None


@pytest.mark.parametrize("name", [b"day", b"asof_ms"])
@pytest.mark.parametrize("odd", [b"", b"\xff", b"2026-13-01"])
def test_an_entry_of_another_shape_is_none(name, odd):
    assert entry_of((b"1-0", WRITTEN | {name: odd})) is None


def test_a_day_is_new_yorks():
    assert market_day(epoch_ms(datetime(2026, 8, 20, 23, 59, tzinfo=NEW_YORK))) == "2026-08-20"
    assert market_day(NOON + DAY_MS) == "2026-08-21"


@pytest.mark.parametrize(
    ("day", "held", "may"),
    [
        ("2026-08-20", "", True),
        ("2026-08-20", "2026-08-19", True),
        ("2026-08-19", "2026-08-20", False),
        ("2026-08-21", "2026-08-20", False),
        ("2026-08-21", "2026-08-18", True),
        ("2026-08-14", "2026-08-18", False),
        ("2026-08-20", "2026-09-01", True),
    ],
    ids=["nothing held", "the next day", "an earlier day", "a day to come", "a day to come over an old one",
         "an old day over an old one that its producer saw", "a held day that has not come"],
)  # fmt: skip
def test_a_later_day_clears_once_it_has_come_and_a_day_to_come_gives_way(day, held, may):
    assert outranks(day, held, now_ms=NOON, computed_ms=NOON) is may


def test_an_old_day_gives_way_to_a_producer_that_had_not_seen_it():
    assert outranks("2026-08-14", "2026-08-18", now_ms=NOON, computed_ms=NOON - 5 * DAY_MS)
