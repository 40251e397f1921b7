"""Captured frames of the streamer: decoded strictly, merged as by hand, replayed."""

import json

import pytest

from streaming.model import Candle, DepthKind, Level2Event, OptionQuote, TickEvent
from streaming.replay.frame_files import replay_frames
from streaming.schwab.stream.merge import Merger
from streaming.schwab.wire import fields
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.frames import decode_data, decode_frame
from tests.captured.recordings import all_captured, captured
from tests.support.clock import ManualClock
from tests.support.frames import rows_of

RECV_MS = 1787233770000
UNUSED = (b"SCREENER_", b"ACCT_ACTIVITY", b"LEVELONE_FUTURES_OPTIONS", b"LEVELONE_FOREX")
DOCS = "docs_2025-12_one_frame_per_service"
EQUITIES = "rth_2026-08-20_levelone_equities"
OPTIONS = "rth_2026-08-20_levelone_options"


def apply(merger, *frames):
    return [event for raw in frames for event in merger.apply(decode_frame(raw).blocks, RECV_MS)]


def named(table, row):
    return {table[int(number)]: value for number, value in row.items() if number.isdigit()}


def test_every_frame_decodes_strictly_and_the_short_way_like_the_long_one(captured_data):
    raws = [raw for raw in all_captured(captured_data) if not any(service in raw for service in UNUSED)]
    frames = [decode_frame(raw) for raw in raws]
    assert len(frames) == 16
    assert not any(frame.tolerant or frame.dropped for frame in frames)
    assert {block.service for frame in frames for block in frame.blocks} == set(Service) - {"ADMIN"}
    assert [decode_data(raw) for raw in raws] == [frame.blocks for frame in frames]


def test_the_real_numbers_arrive_under_their_names(captured_data):
    equities = decode_frame(captured(captured_data, EQUITIES)[0])
    qqq = equities.blocks[0].content[0]
    assert (qqq.key, qqq.bid, qqq.ask, qqq.last) == ("QQQ", 712.48, 712.51, 712.49)
    assert (qqq.bid_size, qqq.ask_size, qqq.volume, qqq.last_size) == (280, 400, 4639968, 79)
    assert (qqq.quote_ms, qqq.trade_ms, qqq.listing, qqq.delayed) == (1787233769803, 1787233769685, "Q", False)


def test_charts_follow_the_order_that_is_sent(captured_data):
    events = apply(Merger(), *captured(captured_data, DOCS))
    share, future = [event for event in events if isinstance(event, Candle)]
    assert (share.symbol, share.open, share.high, share.low, share.close) == ("AMD", 221.133, 221.18, 221.02, 221.02)
    assert (share.volume, share.event_ms, share.source_seq) == (11730, 1765307100000, 202)
    assert (future.symbol, future.open, future.volume, future.event_ms) == ("/ES", 6858.25, 897, 1765307160000)
    for candle in (share, future):
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high


def test_merging_equals_overlaying_the_rows_by_hand(captured_data):
    frames = captured(captured_data, EQUITIES)
    by_hand: dict[str, dict[str, object]] = {}
    for row in rows_of(frames):
        by_hand.setdefault(row["key"], {}).update(row)
    last = {event.symbol: event for event in apply(Merger(), *frames)}
    for symbol, row in by_hand.items():
        tick = last[symbol]
        assert (tick.bid, tick.ask, tick.last) == (row["1"], row["2"], row["3"])
        assert (tick.bid_size, tick.ask_size, tick.volume, tick.last_size) == (row["4"], row["5"], row["8"], row["9"])


def test_an_option_becomes_a_quote(captured_data):
    events = apply(Merger(), *captured(captured_data, OPTIONS))
    first, second = [event for event in events if isinstance(event, OptionQuote)]
    assert (first.symbol, first.bid, first.ask, first.volume) == ("SPY   260820C00767000", 1.26, 1.28, 44994)
    assert (first.iv, second.iv) == (pytest.approx(0.1650358958), pytest.approx(0.1643169084))
    assert (second.open_interest, second.underlying_price, second.volume) == (2097, 766.87, 45009)


def test_books_are_whole(captured_data):
    spy, iwm = apply(Merger(), *captured(captured_data, "rth_2026-08-20_nyse_book"))
    assert (spy.symbol, spy.depth_kind, spy.event_ms) == ("SPY", DepthKind.VENUE_MONTAGE, 1787233768637)
    assert [level.price for level in spy.bids] == [766.88, 766.87, 766.86, 766.84, 766.65, 766.3]
    assert [(venue.venue, venue.size) for venue in spy.bids[1].venues][:2] == [("ARCX", 680), ("NYSE", 320)]
    assert sum(venue.size for venue in iwm.asks[1].venues) == iwm.asks[1].size == 1120
    assert spy.bids[1].venues[0].quote_ms == 1787233768609  # 35368609 ms after midnight in New York


def test_services_keep_apart_and_other_services_make_no_events(captured_data):
    events = apply(Merger(), *captured(captured_data, DOCS))
    assert [event.symbol for event in events if isinstance(event, TickEvent)] == [
        "AMD", "INTC", "SPXW  251208C06880000", "/ES",
    ]  # fmt: skip
    assert [event.symbol for event in events if isinstance(event, Level2Event)] == [
        "/ES", "F", "AMD", "GOOGL 251212C00315000",
    ]  # fmt: skip


def test_real_images_make_sense_under_their_names(captured_data):
    qqq = named(fields.EQUITIES, rows_of(captured(captured_data, EQUITIES))[0])
    assert qqq["low"] <= qqq["open"] <= qqq["high"]
    assert qqq["last"] - qqq["close"] == pytest.approx(qqq["net_change"])
    assert (qqq["last_id"], qqq["ask_mic"], qqq["bid_mic"], qqq["last_mic"]) == ("D", "ARCX", "XNAS", "XADF")
    call = named(fields.OPTIONS, rows_of(captured(captured_data, OPTIONS))[0])
    assert (call["strike"], call["contract_type"], call["root"], call["exercise_type"]) == (767, "C", "SPY", "A")
    assert call["underlying_price"] - call["strike"] == pytest.approx(call["moneyness"])
    row = json.loads((captured_data / "schwab/tda_era/sample_level_one_futures.json").read_text())["content"][0]
    future = named(fields.FUTURES, row)
    assert future["last"] - future["close"] == pytest.approx(future["net_change"])
    assert future["tick"] * future["multiplier"] == pytest.approx(future["tick_amount"])


async def test_a_recording_is_replayed(captured_data):
    events = []

    class Sink:
        publish = staticmethod(events.extend)

    path = captured_data / "schwab" / "stream" / f"{EQUITIES}.jsonl"
    report = await replay_frames(path, speed=0, sink=Sink(), clock=ManualClock())
    assert (report.lines, report.frames, report.events, report.malformed) == (3, 3, 9, 0)
    assert [event.last for event in events if event.symbol == "SPY"] == [766.89, 766.89, 766.88]
