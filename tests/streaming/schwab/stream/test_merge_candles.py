import pytest
from msgspec import UNSET

from streaming.schwab.stream.merge import Merger, candle_from
from streaming.schwab.wire.frames import decode_frame
from streaming.schwab.wire.rows import EquityBarRow
from tests.data_builders.frames import bars
from tests.support.frames import data_frame

START_MS = 1787233740000


def bar(**more):
    values = {
        "key": "SPY",
        "bar_ms": START_MS,
        "open": 1.0,
        "high": 2,
        "low": 0.5,
        "close": 1.5,
        "volume": 9.0,
        "seq": 4,
    }
    return EquityBarRow(**(values | more))


def test_a_bar_becomes_a_candle_of_its_minute():
    candle = candle_from(bar(), recv_ms=START_MS + 61_000, source="schwab", contract=None, seq=7)
    assert (candle.symbol, candle.open, candle.high, candle.low, candle.close) == ("SPY", 1.0, 2, 0.5, 1.5)
    assert (candle.volume, candle.event_ms, candle.interval_s, candle.source_seq, candle.seq) == (9, START_MS, 60, 4, 7)
    assert candle.timestamp.isoformat() == "2026-08-20T13:49:00+00:00"


@pytest.mark.parametrize("missing", ["bar_ms", "open", "high", "low", "close"])
def test_half_a_bar_is_no_bar(missing):
    assert candle_from(bar(**{missing: UNSET}), recv_ms=1, source="schwab", contract=None, seq=1) is None


def test_equity_fields_come_in_the_order_of_the_wire_not_of_the_guide():
    row = {
        "key": "SPY",
        "seq": 12,
        "1": 425,
        "2": 10.0,
        "3": 12.0,
        "4": 9.0,
        "5": 11.0,
        "6": 300,
        "7": START_MS,
        "8": 20685,
    }
    merger = Merger()
    [candle] = merger.apply(decode_frame(data_frame("CHART_EQUITY", row)).blocks, START_MS)
    assert (candle.open, candle.high, candle.low, candle.close, candle.volume) == (10.0, 12.0, 9.0, 11.0, 300)
    assert (candle.event_ms, candle.source_seq, candle.contract) == (START_MS, 12, None)


def test_a_futures_bar_begins_with_its_minute_and_names_its_contract():
    merger = Merger()
    image = {"key": "/ES", "assetMainType": "FUTURE", "1": 9.0, "34": "/ESU26"}
    merger.apply(decode_frame(data_frame("LEVELONE_FUTURES", image)).blocks, START_MS)
    row = {"key": "/ES", "seq": 3, "1": START_MS, "2": 10.0, "3": 12.0, "4": 9.0, "5": 11.0, "6": 300}
    [candle] = merger.apply(decode_frame(data_frame("CHART_FUTURES", row)).blocks, START_MS)
    assert (candle.open, candle.close, candle.volume, candle.contract) == (10.0, 11.0, 300, "/ESU26")
    assert candle.event_ms == START_MS


def test_every_bar_has_its_high_above_its_low_and_a_whole_minute():
    merger = Merger()
    candles = [candle for raw in bars() for candle in merger.apply(decode_frame(raw).blocks, START_MS)]
    assert [candle.symbol for candle in candles] == ["AMD", "/ES"]
    for candle in candles:
        assert candle.low <= min(candle.open, candle.close) <= max(candle.open, candle.close) <= candle.high
        assert candle.event_ms % 60_000 == 0
