import pytest

from streaming.model import DepthKind, Level2Event, OptionQuote, TickEvent
from streaming.schwab.stream import merge
from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import decode_frame
from tests.data_builders.frames import (
    DAY_MS,
    OPTION,
    START_MS,
    equities,
    equity_states,
    future_image,
    nyse_book,
    one_per_service,
    options,
    wide_book,
)  # fmt: skip
from tests.support.frames import data_frame, rows_of

RECV_MS = 1787233770000


def apply(merger, *frames):
    return [event for raw in frames for event in merger.apply(decode_frame(raw).blocks, RECV_MS)]


def test_a_full_image_becomes_a_full_tick():
    qqq, spy, iwm = apply(Merger(), equities()[0])
    assert (qqq.symbol, qqq.last, qqq.bid, qqq.ask, qqq.volume) == ("QQQ", 712.45, 712.4, 712.5, 4640000)
    assert (spy.bid_size, spy.ask_size, spy.last_size, spy.delayed) == (80, 40, 40, False)
    assert (iwm.event_ms, iwm.recv_ms, iwm.source) == (START_MS + 120, RECV_MS, "schwab")
    assert qqq.timestamp.isoformat() == "2026-08-20T13:30:00.120000+00:00"
    assert [qqq.seq, spy.seq, iwm.seq] == [1, 2, 3]


def test_a_delta_keeps_what_it_does_not_name():
    first, second, third = equities()
    assert len(second) < len(third) < len(first) / 2
    merger = Merger()
    apply(merger, first)
    qqq, spy, iwm = apply(merger, second)
    assert (qqq.bid, qqq.ask, qqq.last, qqq.bid_size) == (712.4, 712.6, 712.55, 40)
    assert (spy.bid, spy.ask, spy.last, spy.bid_size, spy.ask_size) == (766.8, 767.0, 766.85, 80, 600)
    assert (iwm.bid, iwm.ask, iwm.last, iwm.last_size) == (299.7, 299.8, 299.7925, 143)
    qqq, spy, iwm = apply(merger, third)
    assert (spy.bid, spy.ask, spy.last, spy.volume, spy.ask_size) == (766.7, 767.0, 766.75, 3758100, 760)
    assert (qqq.event_ms, iwm.volume) == (START_MS + 2120, 2124000)


def test_merging_equals_the_states_that_the_frames_were_made_of():
    merger = Merger()
    for raw, states in zip(equities(), equity_states(), strict=True):
        ticks = apply(merger, raw)
        assert [tick.symbol for tick in ticks] == [row["key"] for row in states]
        for tick, row in zip(ticks, states, strict=True):
            assert (tick.bid, tick.ask, tick.last) == (row["1"], row["2"], row["3"])
            assert (tick.bid_size, tick.ask_size) == (row["4"], row["5"])
            assert (tick.volume, tick.last_size, tick.delayed) == (row["8"], row["9"], False)


def test_merging_equals_overlaying_the_rows_by_hand():
    by_hand: dict[str, dict[str, object]] = {}
    for row in rows_of(equities()):
        by_hand.setdefault(row["key"], {}).update(row)
    last = {event.symbol: event for event in apply(Merger(), *equities())}
    for symbol, row in by_hand.items():
        tick = last[symbol]
        assert (tick.bid, tick.ask, tick.last) == (row["1"], row["2"], row["3"])
        assert (tick.bid_size, tick.ask_size, tick.volume, tick.last_size) == (row["4"], row["5"], row["8"], row["9"])


def test_the_event_time_is_the_newer_of_the_times_that_changed():
    merger = Merger()
    image = {"key": "SPY", "delayed": False, "34": 1787233769000, "35": 1787233769500}
    assert apply(merger, data_frame("LEVELONE_EQUITIES", image))[0].event_ms == 1787233769500
    assert (
        apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "34": 1787233769300}))[0].event_ms == 1787233769300
    )
    assert apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "8": 5}))[0].event_ms == 1787233769500


def test_without_any_time_the_frame_says_when():
    tick = apply(Merger(), data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0}, timestamp=1787233769963))[0]
    assert tick.event_ms == 1787233769963
    tick = apply(Merger(), data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0}, timestamp=0))[0]
    assert tick.event_ms == RECV_MS


def test_a_full_image_forgets_the_one_before():
    merger = Merger()
    apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": False, "1": 5.0, "2": 6.0}))
    tick = apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": True, "2": 7.0}))[0]
    assert (tick.bid, tick.ask, tick.delayed) == (None, 7.0, True)


def test_null_clears_and_absence_is_unknown():
    merger = Merger()
    tick = apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": False, "1": 5.0}))[0]
    assert (tick.ask, tick.volume) == (None, None)
    assert apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "1": None}))[0].bid is None


def test_a_reset_forgets_the_images_but_not_the_count():
    merger = Merger()
    apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "delayed": False, "1": 5.0}))
    merger.reset()
    tick = apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "2": 6.0}))[0]
    assert (tick.bid, tick.seq) == (None, 2)


def test_an_index_has_no_bid_and_a_zero_price_is_unknown():
    tick = apply(
        Merger(), data_frame("LEVELONE_EQUITIES", {"key": "$SPX", "delayed": False, "1": 0, "2": 0, "3": 5659.9})
    )[0]
    assert (tick.bid, tick.ask, tick.last) == (None, None, 5659.9)


def test_sizes_may_come_as_floats_or_not_at_all():
    row = {"key": "SPY", "delayed": False, "4": 712.0, "5": -1, "8": 1e30}
    tick = apply(Merger(), data_frame("LEVELONE_EQUITIES", row))[0]
    assert (tick.bid_size, tick.ask_size, tick.volume) == (712, None, None)
    assert isinstance(tick.bid_size, int)


def test_a_future_gets_its_top_of_book_said_so():
    tick, book = apply(Merger(), data_frame("LEVELONE_FUTURES", future_image()))
    assert isinstance(tick, TickEvent)
    assert (tick.symbol, tick.last, tick.bid, tick.ask, tick.contract) == ("/ES", 6879.5, 6879.25, 6879.75, "/ESU26")
    assert isinstance(book, Level2Event)
    assert book.depth_kind is DepthKind.TOP_OF_BOOK
    assert [(level.price, level.size, level.venues) for level in book.bids] == [(6879.25, 11, ())]
    assert [(level.price, level.size) for level in book.asks] == [(6879.75, 4)]


def test_a_trade_without_a_quote_makes_no_book():
    merger = Merger()
    apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "delayed": False, "1": 5.0, "4": 2}))
    assert [type(event) for event in apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "3": 5.25}))] == [
        TickEvent
    ]


def test_a_future_may_trade_below_zero_and_tells_its_active_contract():
    merger = Merger()
    row = {"key": "/CL", "delayed": False, "3": -37.63, "34": "/CLK20"}
    assert apply(merger, data_frame("LEVELONE_FUTURES", row))[0].last == -37.63
    assert merger.active_contracts == {"/CL": "/CLK20"}


def test_an_option_becomes_a_quote_with_its_volatility_as_a_fraction():
    events = apply(Merger(), *options())
    first, second = [event for event in events if isinstance(event, OptionQuote)]
    assert (first.symbol, first.bid, first.ask, first.volume) == (OPTION, 1.25, 1.27, 45000)
    assert first.iv == pytest.approx(0.165125)
    assert (second.open_interest, second.underlying_price, second.volume) == (2104, 766.9, 45012)
    assert second.iv == pytest.approx(0.164375)
    assert sum(isinstance(event, TickEvent) for event in events) == 2


def test_a_quote_says_whether_its_option_was_followed_without_a_gap():
    merger, row = Merger(), {"key": OPTION, "delayed": False, "4": 1.3, "8": 7}
    changed = {"key": OPTION, "8": 9}

    def fresh(*rows):
        events = apply(merger, *(data_frame("LEVELONE_OPTIONS", one) for one in rows))
        return [(event.fresh, event.volume, event.last) for event in events if isinstance(event, OptionQuote)]

    assert fresh(row, changed) == [(True, 7, 1.3), (False, 9, 1.3)]
    assert fresh(row, changed) == [(True, 7, 1.3), (False, 9, 1.3)], "a full image again"
    merger.reset()
    assert fresh(changed, changed) == [(True, 9, None), (False, 9, None)]


def test_options_for_the_engine_make_no_ticks():
    merger = Merger()
    merger.quotes_only = {OPTION}
    assert [type(event) for event in apply(merger, *options())] == [OptionQuote, OptionQuote]


def test_options_that_no_engine_looks_at_make_no_quotes_until_one_does():
    merger = Merger()
    merger.unquoted = {OPTION}
    assert [type(event) for event in apply(merger, *options())] == [TickEvent, TickEvent]
    merger.unquoted = ()
    last, changed = apply(merger, options()[1])
    assert isinstance(last, TickEvent)
    assert changed.iv is not None, "what was known when nobody looked is not lost"


@pytest.mark.parametrize("odd", [-999.0, "NaN", 0, None, -1.5])
def test_an_unusable_volatility_is_unknown(odd):
    raw = data_frame("LEVELONE_OPTIONS", {"key": OPTION, "delayed": False, "2": 0, "10": odd})
    quote = next(event for event in apply(Merger(), raw) if isinstance(event, OptionQuote))
    assert quote.iv is None
    assert quote.bid == 0.0


def test_books_are_whole_and_say_what_they_are():
    rows, midnight_ms = rows_of(nyse_book()), START_MS - DAY_MS  # venues count from midnight in New York
    spy, iwm = apply(Merger(), *nyse_book())
    assert (spy.symbol, iwm.symbol, spy.depth_kind, spy.event_ms) == (
        "SPY", "IWM", DepthKind.VENUE_MONTAGE, START_MS + 137,
    )  # fmt: skip
    for book, row in ((spy, rows[0]), (iwm, rows[1])):
        for levels, side in ((book.bids, row["2"]), (book.asks, row["3"])):
            assert [(level.price, level.size) for level in levels] == [(level["0"], level["1"]) for level in side]
            assert [[(venue.venue, venue.size, venue.quote_ms) for venue in level.venues] for level in levels] == [
                [(entry["0"], entry["1"], midnight_ms + entry["2"]) for entry in level["3"]] for level in side
            ]


def test_a_book_of_48_venues_is_whole():
    (book,) = apply(Merger(), *wide_book())
    for levels in (book.bids, book.asks):
        assert len({venue.venue for level in levels for venue in level.venues}) == 48
        assert all(level.size == sum(venue.size for venue in level.venues) for level in levels)


def test_listings_are_learned_and_delayed_symbols_known():
    merger = Merger()
    apply(merger, equities()[0])
    assert dict(merger.listings) == {"QQQ": "Q", "SPY": "P", "IWM": "P"}
    apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "delayed": True, "3": 1.0}))
    assert merger.delayed_symbols() == ("/ES",)


def test_services_keep_apart():
    events = apply(Merger(), *one_per_service())
    assert [event.symbol for event in events if isinstance(event, TickEvent)] == [
        "AMD", "SPXW  260820C06880000", "/ES",
    ]  # fmt: skip
    assert [event.symbol for event in events if isinstance(event, Level2Event)] == [
        "/ES", "SPY", "IWM", "QQQ", "SPY", OPTION,
    ]  # fmt: skip


def future(**fields):
    return data_frame("LEVELONE_FUTURES", {"key": "/ES", **fields})


def test_ticks_and_books_of_a_root_name_the_contract_behind_it():
    tick, book = apply(
        Merger(), future(assetMainType="FUTURE", **{"1": 9.0, "2": 9.25, "4": 1, "5": 2, "34": "/ESU26"})
    )
    assert (tick.symbol, tick.contract, book.contract) == ("/ES", "/ESU26", "/ESU26")


def test_a_roll_forgets_the_old_contract_and_asks_for_a_full_image():
    merger = Merger()
    apply(merger, future(assetMainType="FUTURE", delayed=True, **{"1": 9.0, "2": 9.25, "3": 9.0, "34": "/ESU26"}))
    tick = apply(merger, future(**{"3": 19.0, "34": "/ESZ26"}))[0]
    assert (tick.contract, tick.last, tick.bid, tick.ask, tick.delayed) == ("/ESZ26", 19.0, None, None, True)
    assert merger.take_rolled() == ("/ES",)
    assert merger.take_rolled() == ()


def test_a_roll_that_brings_its_own_image_needs_no_other():
    merger = Merger()
    apply(merger, future(assetMainType="FUTURE", **{"1": 9.0, "34": "/ESU26"}))
    apply(merger, future(assetMainType="FUTURE", delayed=False, **{"2": 19.0, "34": "/ESZ26"}))
    assert merger.take_rolled() == ()


def test_a_future_that_does_not_exist_makes_no_event():
    merger = Merger()
    assert apply(merger, future(delayed=False, assetMainType="FUTURE", **{"22": "Unknown"})) == []
    assert apply(merger, future(**{"3": 9.0, "22": "Unknown"}))


def test_a_listing_that_changes_is_news():
    merger = Merger()
    for listing, version in (("P", 1), ("P", 1), ("Q", 2)):
        apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "13": listing}))
        assert (merger.listings["SPY"], merger.listings_version) == (listing, version)


UNREADABLE = ("", "-", "N/A", None, "NaN", True, [], 1e300, -1e12)


@pytest.mark.parametrize("odd", UNREADABLE)
def test_a_price_that_cannot_be_read_never_leaves_the_old_one_current(odd):
    merger = Merger()
    full = {"key": "SPY", "delayed": False, "assetMainType": "EQUITY", "1": 500.1, "2": 500.2, "3": 500.15, "4": 100}
    apply(merger, data_frame("LEVELONE_EQUITIES", full))
    (tick,) = apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "SPY", "1": odd, "2": odd, "4": odd}))
    assert (tick.bid, tick.ask, tick.bid_size, tick.last) == (None, None, None, 500.15)


@pytest.mark.parametrize("odd", UNREADABLE)
def test_an_option_quote_that_cannot_be_read_is_unknown(odd):
    merger = Merger()
    full = {"key": OPTION, "delayed": False, "2": 1.2, "3": 1.3, "8": 7, "9": 2097, "10": 16.5, "35": 766.8}
    apply(merger, data_frame("LEVELONE_OPTIONS", full))
    delta = {"key": OPTION, "2": odd, "3": odd, "8": odd, "9": odd, "10": odd, "35": odd}
    tick, quote = apply(merger, data_frame("LEVELONE_OPTIONS", delta))
    assert (tick.bid, tick.ask) == (quote.bid, quote.ask) == (None, None)
    assert (quote.iv, quote.volume, quote.open_interest, quote.underlying_price) == (None,) * 4


@pytest.mark.parametrize("odd", UNREADABLE)
def test_a_level_without_a_readable_price_is_left_out_and_nothing_of_the_book_before_stays(odd):
    merger = Merger()
    good = [{"0": 13.1, "1": 9, "2": 1, "3": [{"0": "NYSE", "1": 9, "2": 35693547}]}]
    apply(merger, data_frame("NYSE_BOOK", {"key": "F", "1": RECV_MS, "2": good, "3": good}))
    bids = [{"0": odd, "1": 9, "2": 1, "3": []}, {"0": 13.0, "1": 4, "2": 0, "3": []}]
    (book,) = apply(merger, data_frame("NYSE_BOOK", {"key": "F", "1": RECV_MS, "2": bids, "3": odd}))
    assert ([level.price for level in book.bids], book.asks) == ([13.0], ())


@pytest.mark.parametrize(
    "key", ["", " SPY", "S P", "SPY\n", "<@1>", "SPY\u0661", "A" * 25, "SPY   2608\u06620C00770000"]
)
def test_what_cannot_be_a_symbol_makes_no_event_and_is_counted(key):
    merger = Merger()
    bar = {"seq": 1, "2": 1.0, "3": 2.0, "4": 0.5, "5": 1.5, "6": 9, "7": 1787233740000}
    future_bar = {"1": 1787233740000, "2": 1.0, "3": 2.0, "4": 0.5, "5": 1.5, "6": 9}
    for service, row in (
        ("LEVELONE_EQUITIES", {"3": 5.0, "13": "Q"}),
        ("LEVELONE_OPTIONS", {"2": 1.0}),
        ("LEVELONE_FUTURES", {"3": 5.0, "34": "/ESZ26"}),
        ("NYSE_BOOK", {"2": [], "3": []}),
        ("CHART_EQUITY", bar),
        ("CHART_FUTURES", future_bar),
    ):
        for _ in range(2):
            assert apply(merger, data_frame(service, {"key": key} | row)) == []
    assert merger.odd_rows == 12
    assert not merger.listings and not merger.active_contracts


def test_every_form_of_symbol_that_schwab_has_makes_events():
    for key in ("SPY", "BRK/B", "$SPX", "$NYA.X", "/ES", "/ESZ26", "A" * 24, OPTION):
        assert [event.symbol for event in apply(Merger(), data_frame("LEVELONE_EQUITIES", {"key": key, "3": 5.0}))] == [
            key
        ]


@pytest.mark.parametrize("odd", ["/ES Z26\n@everyone", "/NQZ26", "/ES", "ESZ26", "?", "/ESZ2026", 5])
def test_an_active_contract_that_cannot_be_one_is_not_believed(odd):
    merger = Merger()
    (tick,) = apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "3": 5.0, "34": odd}))
    assert tick.contract is None
    apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "34": "/ESZ26"}))
    (tick,) = apply(merger, data_frame("LEVELONE_FUTURES", {"key": "/ES", "34": odd}))
    assert (tick.contract, tick.last, merger.take_rolled()) == ("/ESZ26", 5.0, ())


FAR_MS = RECV_MS + 60 * 365 * 86_400_000


@pytest.mark.parametrize(
    ("service", "row", "time_fields"),
    [
        ("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0}, ("34", "35")),
        ("LEVELONE_OPTIONS", {"key": OPTION, "2": 1.0}, ("38", "39")),
        ("LEVELONE_FUTURES", {"key": "/ES", "3": 5.0, "1": 5.0, "4": 1}, ("10", "11")),
        ("NYSE_BOOK", {"key": "F", "2": [], "3": []}, ("1",)),
    ],
)
def test_a_time_that_has_not_come_is_no_time_and_stays_nowhere(service, row, time_fields):
    merger = Merger()
    for far, server_ms in ((FAR_MS, FAR_MS), (RECV_MS + 301_000, RECV_MS), (RECV_MS + 301_000, 0)):
        events = apply(merger, data_frame(service, row | dict.fromkeys(time_fields, far), timestamp=server_ms))
        assert events and all(event.event_ms == RECV_MS for event in events)
    for events in (
        apply(merger, data_frame(service, row, timestamp=0)),
        apply(merger, data_frame(service, row | {time_fields[0]: RECV_MS + 1}, timestamp=0)),
    ):
        assert events and all(event.event_ms in {RECV_MS, RECV_MS + 1} for event in events)
    assert events[0].event_ms == RECV_MS + 1


def test_a_clock_of_ours_that_is_a_little_slow_costs_no_time():
    (tick,) = apply(Merger(), data_frame("LEVELONE_EQUITIES", {"key": "SPY", "3": 5.0, "34": RECV_MS + 299_000}))
    assert tick.event_ms == RECV_MS + 299_000


def test_the_times_of_a_stand_in_whose_market_is_days_ahead_are_its_own():
    ahead_ms = RECV_MS + 4 * 86_400_000
    row = {"key": "SPY", "3": 5.0, "34": ahead_ms - 200}
    (tick,) = apply(Merger(), data_frame("LEVELONE_EQUITIES", row, timestamp=ahead_ms))
    assert tick.event_ms == ahead_ms - 200


def test_a_minute_that_has_not_come_is_no_candle():
    bar = {"key": "SPY", "seq": 1, "2": 1.0, "3": 2.0, "4": 0.5, "5": 1.5, "6": 9, "7": FAR_MS}
    assert apply(Merger(), data_frame("CHART_EQUITY", bar)) == []
    for server_ms in (0, RECV_MS):
        assert len(apply(Merger(), data_frame("CHART_EQUITY", bar | {"7": RECV_MS - 60_000}, timestamp=server_ms))) == 1


def test_a_server_gone_mad_cannot_fill_the_memory_with_names(monkeypatch):
    monkeypatch.setattr(merge, "MOST_NAMES", 3)
    merger = Merger()
    names = data_frame("LEVELONE_EQUITIES", *({"key": f"N{n}", "3": 5.0} for n in range(5)))
    books = data_frame("NYSE_BOOK", *({"key": f"N{n}", "1": RECV_MS} for n in range(5)))
    assert [event.symbol for event in apply(merger, names, books)] == ["N0", "N1", "N2"] * 2
    assert merger.odd_rows == 4
    assert len(apply(merger, names)) == 3
    merger.reset()
    assert [event.symbol for event in apply(merger, data_frame("LEVELONE_EQUITIES", {"key": "N4", "3": 5.0}))] == ["N4"]


def test_what_was_learned_of_a_symbol_goes_with_its_subscription_and_of_what_is_unwanted_with_the_connection():
    merger = Merger()
    listed = [{"key": name, "3": 5.0, "13": "Q"} for name in ("A", "B", "C")]
    rolling = [{"key": name, "3": 5.0, "34": f"{name}Z26"} for name in ("/ES", "/NQ", "/RTY")]
    apply(merger, data_frame("LEVELONE_EQUITIES", *listed), data_frame("LEVELONE_FUTURES", *rolling))
    merger.forget(Service.LEVELONE_EQUITIES, ("A",))
    merger.forget(Service.LEVELONE_FUTURES, ("/ES",))
    merger.forget(Service.NYSE_BOOK, ("B", "C"))
    assert (set(merger.listings), set(merger.active_contracts)) == ({"B", "C"}, {"/NQ", "/RTY"})
    merger.reset()
    merger.keep(("C", "/RTY", "D"))
    assert (merger.listings, merger.active_contracts) == ({"C": "Q"}, {"/RTY": "/RTYZ26"})


def test_endless_futures_with_contracts_are_learned_up_to_the_bound(monkeypatch):
    monkeypatch.setattr(merge, "MOST_NAMES", 2)
    merger = Merger()
    for contract in ("Z26", "H27"):
        rows = [{"key": f"/F{chr(65 + n)}", "3": 5.0, "34": f"/F{chr(65 + n)}{contract}"} for n in range(4)]
        apply(merger, data_frame("LEVELONE_FUTURES", *rows))
    assert merger.active_contracts == {"/FA": "/FAH27", "/FB": "/FBH27"}
