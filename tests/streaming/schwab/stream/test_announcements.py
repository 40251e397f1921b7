import logging

from streaming.clock import SystemClock
from streaming.schwab.stream.announcements import Announcements
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.session_events import (
    BadFrame,
    KeysRefused,
    LoggedIn,
    Oddity,
    ServiceUnavailable,
    Subscribed,
    SymbolLimit,
    Tolerated,
)
from streaming.schwab.stream.stream_status import StreamCounters
from streaming.schwab.stream.watch import DataWatch
from streaming.schwab.wire.fields import Service
from tests.support.clock import ManualClock

L1 = Service.LEVELONE_EQUITIES


class Owner:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *words: self.told.append((name, *words))


def hear(*events):
    owner, counters, watch = Owner(), StreamCounters(), DataWatch(StreamTiming())
    announcements = Announcements(owner, counters, watch, SystemClock())
    for event in events:
        announcements.heard(event)
    return owner.told, counters, watch


def test_bad_and_repaired_frames_are_counted():
    _, counters, _ = hear(BadFrame("not JSON"), Tolerated(2), Tolerated(1), Oddity("an odd answer"))
    assert (counters.bad_frames, counters.tolerant_frames, counters.dropped_rows) == (1, 2, 3)
    assert list(counters.problems) == ["not JSON", "an odd answer"]


def test_a_login_makes_unavailable_services_worth_another_try():
    told, counters, _ = hear(ServiceUnavailable(Service.NYSE_BOOK, "down"), LoggedIn("ok"))
    assert (counters.unavailable, counters.last_login_at is None) == ({}, False)
    assert told[-1] == ("logged_in",)


def test_a_service_that_takes_keys_again_is_no_longer_unavailable():
    told, counters, _ = hear(
        ServiceUnavailable(Service.NYSE_BOOK, "down"), Subscribed(Service.NYSE_BOOK, "SUBS", ("IWM",))
    )
    assert (counters.unavailable, told[-1]) == ({}, ("served", Service.NYSE_BOOK))


def test_a_flood_of_oddities_is_a_line_a_minute_that_says_how_many(caplog):
    clock, counters = ManualClock(), StreamCounters()
    announcements = Announcements(Owner(), counters, DataWatch(StreamTiming()), clock)
    for _ in range(1000):
        announcements.heard(BadFrame("not JSON"))
    announcements.heard(Oddity("another thing"))
    clock.advance(61.0)
    announcements.heard(BadFrame("not JSON"))
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "Stream: not JSON",
        "Stream: another thing",
        "Stream: not JSON (and 999 more before it)",
    ]
    assert counters.bad_frames == 1001


def test_only_level_one_is_watched():
    _, _, watch = hear(Subscribed(L1, "SUBS", ("SPY", "QQQ")), Subscribed(Service.NYSE_BOOK, "SUBS", ("IWM",)))
    assert set(watch.subscribed_s) == {"SPY", "QQQ"}
    _, _, watch = hear(Subscribed(L1, "SUBS", ("SPY", "QQQ")), Subscribed(L1, "UNSUBS", ("SPY",)))
    assert set(watch.subscribed_s) == {"QQQ"}


def test_what_the_server_will_not_do_is_told_and_shown():
    refused = KeysRefused(L1, "ADD", ("SPY",), 21, "bad")
    told, counters, _ = hear(ServiceUnavailable(Service.NYSE_BOOK, "down"), SymbolLimit(L1, tuple("ABCDEFG")), refused)
    assert counters.unavailable == {Service.NYSE_BOOK: "down"}
    (first, about, _), (second, _, limit), third = told
    assert (first, about, second, third) == ("tell", "unavailable NYSE_BOOK", "tell", ("refused", refused))
    assert "A, B, C, D, E, …" in limit
    assert len(counters.problems) == 3
