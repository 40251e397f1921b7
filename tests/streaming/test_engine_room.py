"""The engines of several tickers: who gets which chain, price and quote."""

from datetime import timedelta

import pytest

from streaming.clock import epoch_ms
from streaming.engine_protocol import Load
from streaming.engine_room import EngineRoom
from streaming.errors import ContractError
from streaming.model import OptionQuote
from streaming.symbols import parse_ticker
from tests.support.chains import ASOF, TODAY, TOMORROW, expiry_body

AT_MS = epoch_ms(ASOF)


def room_of(*names: str) -> EngineRoom:
    return EngineRoom([parse_ticker(name) for name in names], scope="full")


def load(room: EngineRoom, body=None):
    body = body or expiry_body(TODAY, required=(TODAY,))
    order = Load(body.underlying, body.kind, body.asof, body.expiry, body.planned, body.required)
    return room.load(order, body.payload)


def test_there_are_figures_once_the_chain_is_whole():
    room = room_of("SPX")
    assert not load(room, expiry_body(TODAY)).complete
    assert room.compute("SPX", ASOF) is None
    receipt = load(room, expiry_body(TOMORROW))
    assert (receipt.complete, receipt.contracts, receipt.roots) == (True, 22, ("SPXW",))
    assert room.compute("SPX", ASOF).scopes["full"].expiries == ("2026-08-20", "2026-08-21")


def test_index_and_future_share_a_chain_and_each_has_its_own_points():
    room = room_of("SPX", "ES")
    load(room)
    room.take([("$SPX", 5660.0, AT_MS), ("/ES", 5672.5, AT_MS)], [])
    index, future = room.compute("SPX", ASOF), room.compute("ES_SPX", ASOF)
    assert (index.spot, future.spot, future.basis) == (5660.0, 5672.5, 12.5)


def test_a_quote_reaches_the_engines_of_its_root_only():
    room = room_of("SPX", "NDX")
    load(room)
    before = room.compute("SPX", ASOF)
    room.take([], [OptionQuote(symbol="SPXW  260820C05660000", iv=0.5, event_ms=AT_MS + 1000, recv_ms=0)])
    assert room.compute("SPX", ASOF).sum_gex_oi != before.sum_gex_oi
    assert room.compute("NDX", ASOF) is None


def test_a_feed_of_cboe_is_a_whole_chain():
    room = room_of("SPX")
    body = b'{"timestamp": "2026-08-20 15:15:00", "data": {"symbol": "^SPX", "current_price": 5660.0, "options": ['
    body += b'{"option": "SPXW260820C05660000", "iv": 0.2, "open_interest": 10, "volume": 5, "bid": 1, "ask": 2}]}}'
    receipt = room.load(Load("SPX", "cboe"), body)
    assert (receipt.complete, receipt.contracts, receipt.delayed) == (True, 1, True)
    assert room.compute("SPX", ASOF).source == "cboe"


def test_bytes_that_are_no_chain_are_refused_and_change_nothing():
    room = room_of("SPX")
    load(room)
    with pytest.raises(ContractError):
        room.load(Load("SPX", "schwab", ASOF), b"<html>")
    assert room.compute("SPX", ASOF) is not None


def test_the_options_worth_streaming_come_from_each_underlying_once():
    room = room_of("SPX", "ES")
    load(room)
    near = room.near_symbols(4)
    assert len(near) == 4
    assert {symbol[:4] for symbol in near} == {"SPXW"}


def test_what_can_be_done_ahead_is_done_one_engine_at_a_time():
    room = room_of("SPX", "ES")
    load(room)
    room.take([("$SPX", 5660.0, AT_MS), ("/ES", 5672.5, AT_MS)], [])
    for after_s in (0, 6):
        for name in ("SPX", "ES_SPX"):
            room.compute(name, ASOF + timedelta(seconds=after_s))
        assert [room.tidy() for _ in range(3)] == ([False] * 3 if after_s == 0 else [True, True, False])
