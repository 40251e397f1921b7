import logging

from streaming.clock import SystemClock
from streaming.model import Level2Event, OptionQuote, TickEvent
from streaming.schwab.stream import merge
from streaming.schwab.stream.announcements import Announcements
from streaming.schwab.stream.merge import Merger
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
from streaming.schwab.wire.frames import decode_frame
from tests.support.clock import ManualClock
from tests.support.frames import data_frame

L1 = Service.LEVELONE_EQUITIES
OPTIONS, OPTIONS_BOOK = Service.LEVELONE_OPTIONS, Service.OPTIONS_BOOK


class Owner:
    """Remembers what it was told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *words: self.told.append((name, *words))


def hear(*events, counters=None, merger=None):
    owner, counters, watch = Owner(), counters or StreamCounters(), DataWatch(StreamTiming())
    announcements = Announcements(owner, counters, watch, merger or Merger(), SystemClock())
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
    announcements = Announcements(Owner(), counters, DataWatch(StreamTiming()), Merger(), clock)
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


def test_weeks_of_rolling_options_leave_nothing_behind(monkeypatch):
    monkeypatch.setattr(merge, "MOST_NAMES", 2)
    merger, counters = Merger(), StreamCounters(last_event_s={"SPY": 1.0})
    for n in range(9):
        rows = [data_frame(service, {"key": f"SPY   2612{n:02}C00650000"}) for service in (OPTIONS, OPTIONS_BOOK)]
        events = [event for raw in rows for event in merger.apply(decode_frame(raw).blocks, 1787233770000)]
        assert {type(event) for event in events} == {TickEvent, OptionQuote, Level2Event}
        keys = tuple({event.symbol for event in events})
        counters.last_event_s[keys[0]] = float(n)
        hear(
            *(Subscribed(where, "UNSUBS", keys) for where in (OPTIONS, OPTIONS_BOOK)), counters=counters, merger=merger
        )
    assert (merger.odd_rows, counters.last_event_s) == (0, {"SPY": 1.0})


def test_the_end_of_a_book_or_of_minutes_takes_nothing_from_level_one():
    counters, merger = StreamCounters(last_event_s={"SPY": 1.0}), Merger()
    merger.apply(decode_frame(data_frame(L1, {"key": "SPY", "1": 5.0, "2": 6.0})).blocks, 1787233770000)
    hear(
        Subscribed(Service.NYSE_BOOK, "UNSUBS", ("SPY",)),
        Subscribed(Service.CHART_EQUITY, "UNSUBS", ("SPY",)),
        counters=counters,
        merger=merger,
    )
    (tick,) = merger.apply(decode_frame(data_frame(L1, {"key": "SPY", "2": 7.0})).blocks, 1787233770000)
    assert (tick.bid, counters.last_event_s) == (5.0, {"SPY": 1.0})


def test_what_the_server_will_not_do_is_told_and_shown():
    refused = KeysRefused(L1, "ADD", ("SPY",), 21, "bad")
    limits = (SymbolLimit(where, tuple("ABCDEFG")) for where in (L1, Service.NYSE_BOOK))
    told, counters, _ = hear(ServiceUnavailable(Service.NYSE_BOOK, "down"), *limits, refused)
    assert counters.unavailable == {Service.NYSE_BOOK: "down"}
    (first, about, _), (second, matter, limit), (_, again, _), third = told
    assert (first, about, second, third) == ("tell", "unavailable NYSE_BOOK", "tell", ("refused", refused))
    assert "A, B, C, D, E, …" in limit
    assert matter == again, "one limit, however many services meet it"
    assert len(counters.problems) == 4
