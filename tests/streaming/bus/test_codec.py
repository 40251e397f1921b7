"""streaming/bus/codec.py"""

import json
import math

import msgspec
import pytest

from streaming.bus.codec import decode_snapshot, encode_event, encode_snapshot
from streaming.errors import ContractError
from tests.support.events import book, tick
from tests.support.snapshots import snapshot


def test_a_tick_has_the_agreed_first_fields_and_a_time_in_utc():
    fields = json.loads(encode_event(tick(5)))
    assert list(fields)[:6] == ["symbol", "timestamp", "last", "bid", "ask", "volume"]
    assert fields["timestamp"] == "2026-08-20T13:40:00.005000Z"
    assert fields["v"] == 1


def test_what_is_unknown_is_null_and_never_zero():
    bare = msgspec.structs.replace(tick(1), last=None, bid=None, volume=None, delayed=None)
    fields = json.loads(encode_event(bare))
    assert fields["last"] is fields["bid"] is fields["volume"] is fields["delayed"] is None


def test_a_number_that_is_not_finite_is_null():
    assert json.loads(encode_event(msgspec.structs.replace(tick(1), last=math.nan)))["last"] is None


def test_a_book_says_what_its_levels_are():
    fields = json.loads(encode_event(book(1)))
    assert fields["depth_kind"] == "venue_montage"
    assert fields["bids"][0] == {
        "price": 500.0,
        "size": 100,
        "venues": [{"venue": "NSDQ", "size": 100, "quote_ms": fields["event_ms"]}],
    }


def test_a_snapshot_comes_back_as_it_went():
    assert decode_snapshot(encode_snapshot(snapshot())) == snapshot()


def test_a_foreign_snapshot_is_a_contract_error():
    with pytest.raises(ContractError, match="the expected shape"):
        decode_snapshot(b'{"ticker": "SPX"}')
