"""The engines of several tickers: who gets which chain, price and quote."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from streaming.chains.expiry_sizes import Known
from streaming.clock import epoch_ms
from streaming.engine.protocol import AheadPiece, Doubtful, Load
from streaming.engine.room import EngineRoom
from streaming.errors import ContractError
from streaming.model import OptionQuote, OptionTrades
from streaming.symbols import parse_ticker
from tests.support.chains import ASOF, TODAY, TOMORROW, body_of, chain_of, expiry_body

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
    after = room.compute("SPX", ASOF)
    assert after.scopes["full"].oi.gross_gex_usd_per_1pct != before.scopes["full"].oi.gross_gex_usd_per_1pct
    assert room.compute("NDX", ASOF) is None


def test_trades_reach_the_engines_of_their_root_only():
    room = room_of("SPX", "ES", "NDX")
    load(room)
    symbol, later_ms = "SPXW  260820C05660000", AT_MS + 1000
    quote = OptionQuote(symbol=symbol, iv=0.5, event_ms=later_ms, recv_ms=0)
    room.take([("/ES", 5672.5, AT_MS)], [quote], [OptionTrades(symbol, later_ms // 60_000 * 60_000, 9, 2, 1)])
    index, future = room.compute("SPX", ASOF), room.compute("ES_SPX", ASOF)
    assert index.signed_flow.day.contracts == 12
    assert index.signed_flow.day == future.signed_flow.day


def test_a_feed_of_cboe_is_a_whole_chain():
    room = room_of("SPX")
    body = b'{"timestamp": "2026-08-20 15:15:00", "data": {"symbol": "^SPX", "current_price": 5660.0, "options": ['
    line = b'{"option": "SPXW260820%s05660000", "iv": 0.2, "open_interest": 10, "volume": 5, "bid": 1, "ask": 2}'
    receipt = room.load(Load("SPX", "cboe"), body + line % b"C" + b"," + line % b"P" + b"]}}")
    assert (receipt.complete, receipt.contracts, receipt.delayed) == (True, 2, True)
    assert room.compute("SPX", ASOF).source == "cboe"


def test_bytes_that_are_no_chain_are_refused_and_change_nothing():
    room = room_of("SPX")
    load(room)
    with pytest.raises(ContractError):
        room.load(Load("SPX", "schwab", ASOF), b"<html>")
    assert room.compute("SPX", ASOF) is not None


def receipt_of(room: EngineRoom, body, **more):
    return room.load(replace(body.order, **more), body.payload)


ONLY_TODAY = (TODAY,)


@pytest.mark.parametrize("payload", [b"{}", chain_of(TODAY, sides="C"), chain_of(TODAY, status="FAILED")])
def test_an_answer_that_cannot_be_true_leaves_the_figures_as_they_were(payload):
    room = room_of("SPX")
    load(room)
    before = room.compute("SPX", ASOF)
    with pytest.raises(ContractError):
        receipt_of(room, body_of(payload, required=ONLY_TODAY, later_s=5))
    after = room.compute("SPX", ASOF)
    assert (after.scopes, after.chain_ms) == (before.scopes, before.chain_ms)


def test_an_answer_much_smaller_than_what_is_known_is_doubted_and_not_taken():
    room = room_of("SPX")
    known = Known(load(room).sizes)
    few = body_of(chain_of(TODAY, strikes=(5650, 5660, 5670)), required=ONLY_TODAY)
    answer = receipt_of(room, few, known=known)
    assert isinstance(answer, Doubtful)
    assert answer.reason == "It has 3 of 11 calls of 2026-08-20."
    assert room.compute("SPX", ASOF).scopes["full"].contracts == 22
    assert receipt_of(room, few).contracts == 6, "without anything known it is taken"


def test_quotes_and_volume_of_an_answer_without_open_interest_count_and_what_was_known_stays():
    room = room_of("SPX")
    load(room)
    before = room.compute("SPX", ASOF)
    body = body_of(chain_of(TODAY, openInterest=0, totalVolume=77), required=ONLY_TODAY, later_s=5)
    receipt = receipt_of(room, body)
    after = room.compute("SPX", ASOF)
    assert (receipt.kept_interest, receipt.remark) == (True, "no open interest at all")
    was, now = before.scopes["full"], after.scopes["full"]
    assert now.oi.gross_gex_usd_per_1pct == pytest.approx(was.oi.gross_gex_usd_per_1pct, rel=1e-3)
    assert now.vol.gross_gex_usd_per_1pct == pytest.approx(7.7 * was.vol.gross_gex_usd_per_1pct, rel=1e-3)


def test_open_interest_that_was_never_sent_is_unknown_and_not_nought():
    room = room_of("SPX")
    receipt_of(room, body_of(chain_of(TODAY, openInterest=0), required=ONLY_TODAY))
    snapshot = room.compute("SPX", ASOF)
    assert (snapshot.sum_gex_oi, snapshot.major_pos_oi, snapshot.scopes["zero"].oi.zero_gamma) == (None, None, None)
    assert snapshot.sum_gex_vol is not None


def test_without_a_price_the_quotes_say_what_the_underlying_costs():
    room = room_of("SPX")
    receipt = receipt_of(room, body_of(quoted_around(5662.5), required=ONLY_TODAY))
    assert (receipt.spot, receipt.remark) == (None, "no price of the underlying")
    snapshot = room.compute("SPX", ASOF)
    assert snapshot.spot == pytest.approx(5662.5)
    assert snapshot.chain_quality.spot_implied


def quoted_around(spot: float) -> bytes:
    """An answer without a price, whose calls and puts agree on one."""
    document = json.loads(chain_of(TODAY, underlyingPrice=None))
    for name, sign in (("callExpDateMap", 1.0), ("putExpDateMap", -1.0)):
        for strike, (item,) in document[name][f"{TODAY}:9"].items():
            item["bid"] = 60.0 + sign * 0.5 * (spot - float(strike))
            item["ask"] = item["bid"] + 1.0
    return json.dumps(document).encode()


def test_nothing_but_adjusted_contracts_is_said_and_makes_no_figures():
    room = room_of("SPX")
    receipt = receipt_of(room, body_of(chain_of(TODAY, nonStandard=True), required=ONLY_TODAY))
    assert (receipt.contracts, receipt.complete) == (0, False)
    assert receipt.remark == "only adjusted contracts or minis, of which none is used"
    assert room.compute("SPX", ASOF) is None


def cboe_feed(*options: str, name: str = "SPX", interest: int = 10, volume: int = 5) -> bytes:
    same = {"iv": 0.2, "open_interest": interest, "volume": volume, "bid": 1, "ask": 2}
    lines = [{"option": option} | same for option in options]
    data = {"symbol": f"^{name}", "current_price": 5660.0, "options": lines}
    return json.dumps({"timestamp": "2026-08-20 15:15:00", "data": data}).encode()


ALL_OF_CBOE = tuple(f"SPXW260820{side}0{strike}000" for strike in range(5600, 5710, 10) for side in "CP")


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (cboe_feed(*ALL_OF_CBOE[::2]), "only calls"),
        (cboe_feed(*ALL_OF_CBOE, interest=0, volume=0), "no figures except spot"),
        (cboe_feed("RUT260820C02000000", "RUT260820P02000000", name="RUT"), "about RUT, not SPX"),
    ],
)
def test_a_feed_of_cboe_that_cannot_be_true_replaces_nothing(payload, why):
    room = room_of("SPX")
    room.load(Load("SPX", "cboe"), cboe_feed(*ALL_OF_CBOE))
    with pytest.raises(ContractError, match=why):
        room.load(Load("SPX", "cboe"), payload)
    assert room.compute("SPX", ASOF).scopes["full"].contracts == 22


def test_a_tiny_feed_of_cboe_is_doubted_and_one_without_open_interest_keeps_it():
    room = room_of("SPX")
    known = Known(room.load(Load("SPX", "cboe"), cboe_feed(*ALL_OF_CBOE)).sizes)
    before = room.compute("SPX", ASOF)
    assert isinstance(room.load(Load("SPX", "cboe", known=known), cboe_feed(*ALL_OF_CBOE[:4])), Doubtful)
    assert room.load(Load("SPX", "cboe", known=known), cboe_feed(*ALL_OF_CBOE, interest=0)).kept_interest
    assert room.compute("SPX", ASOF).sum_gex_oi == before.sum_gex_oi


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


def test_a_map_is_made_in_pieces_between_which_others_are_served(monkeypatch):
    monkeypatch.setattr("streaming.engine.room._PIECES", 1)
    room = room_of("SPX")
    load(room)
    assert room.map_ahead("SPX", newer_than_ms=0) == AheadPiece(done=True), "nothing was computed yet"
    room.compute("SPX", ASOF)
    whole = make_map(room)
    piece = room.map_ahead("SPX", newer_than_ms=0)
    assert piece == AheadPiece(done=False)
    room.take([("$SPX", 5675.0, AT_MS + 1000)], [])
    assert room.compute("SPX", ASOF).spot == 5675.0
    assert make_map(room) == whole, "what was begun is finished as it was"
    assert make_map(room).spot == 5675.0
    assert room.map_ahead("SPX", newer_than_ms=AT_MS + 1000) == AheadPiece(done=True)


def test_each_ticker_has_a_map_of_its_own(monkeypatch):
    monkeypatch.setattr("streaming.engine.room._PIECES", 1)
    room = room_of("SPX", "ES")
    load(room)
    room.take([("$SPX", 5660.0, AT_MS), ("/ES", 5672.5, AT_MS)], [])
    room.compute("SPX", ASOF)
    room.compute("ES_SPX", ASOF)
    room.map_ahead("SPX", newer_than_ms=0)
    room.take([("$SPX", 5675.0, AT_MS + 1000)], [])
    room.compute("SPX", ASOF)
    assert make_map(room, "ES_SPX").spot == 5672.5
    assert make_map(room).spot == 5660.0, "what was begun before is what is finished"


def make_map(room: EngineRoom, name: str = "SPX"):
    while not (piece := room.map_ahead(name, newer_than_ms=0)).done:
        pass
    return piece.day_map
