from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from streaming.calendar import NEW_YORK
from streaming.errors import RequestError
from streaming.sim.world.market import Market

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)


def fresh(seed: int = 5, start: datetime = START, **kwargs) -> Market:
    return Market.generate(("SPX",), start_at=start, seed=seed, **kwargs)


def fingerprint(market: Market) -> tuple:
    board = market.board("$SPX")
    tapes = tuple((tape.symbol, tape.last, tape.volume, tape.bid, tape.high) for tape in market.tapes)
    return (market.now, tapes, board.lines.volume.tolist(), board.trades.last.tolist(), board.vol_factor)


def test_the_same_seed_and_time_give_the_same_state():
    one, two = fresh(), fresh()
    for market in (one, two):
        market.advance(START + timedelta(seconds=20))
    assert fingerprint(one) == fingerprint(two)


def test_another_seed_gives_another_market():
    one, two = fresh(), fresh(6)
    for market in (one, two):
        market.advance(START + timedelta(seconds=20))
    assert fingerprint(one) != fingerprint(two)


def test_the_state_does_not_depend_on_how_often_it_was_moved():
    often, once = fresh(), fresh()
    for i in range(1, 200):
        often.advance(START + timedelta(seconds=0.137 * i))
    for market in (often, once):
        market.advance(START + timedelta(seconds=30.1))
    assert fingerprint(often) == fingerprint(once)


def test_plain_shares_of_both_exchanges_trade_beside_the_others_without_options():
    plain, many = fresh(), fresh(shares=30)
    names = [tape.symbol for tape in many.tapes[len(plain.tapes) :]]
    assert (len(names), names[0], names[27]) == (30, "QAAA", "QABB")
    assert {many.listed(name).exchange for name in names} == {"P", "Q"}
    before = [many.tape(name).trade_ms for name in names]
    many.advance(START + timedelta(seconds=1))
    assert all(many.tape(name).trade_ms > at_ms for name, at_ms in zip(names, before, strict=True))
    assert many.tape("QAAA").bid > 0.0
    assert many.board("QAAA") is None


def test_time_never_runs_backwards(spx):
    spx.advance(START + timedelta(seconds=10))
    before = fingerprint(spx)
    spx.advance(START)
    assert fingerprint(spx) == before


def test_spot_moves_every_second(spx):
    seen = []
    for i in range(1, 21):
        spx.advance(START + timedelta(seconds=i))
        seen.append(spx.spot("SPX"))
    assert len(set(seen)) >= 19


def test_volume_only_grows_and_keeps_growing(spx):
    volume = spx.board("$SPX").lines.volume
    for i in range(1, 31):
        before = volume.copy()
        spx.advance(START + timedelta(seconds=i))
        assert (volume >= before).all()
        assert volume.sum() > before.sum()


def test_nothing_moves_after_the_close_but_futures():
    market = fresh(start=datetime(2026, 8, 20, 19, 59, 50, tzinfo=UTC))
    market.advance(datetime(2026, 8, 20, 20, 0, tzinfo=UTC))
    spot, volume, future = market.spot("SPX"), market.board("$SPX").lines.volume.sum(), market.tape("/ES").volume
    market.advance(datetime(2026, 8, 20, 20, 0, 40, tzinfo=UTC))
    assert (market.spot("SPX"), market.board("$SPX").lines.volume.sum()) == (spot, volume)
    assert market.tape("/ES").volume > future


def test_a_weekend_passes_in_no_time():
    market = fresh(start=datetime(2026, 8, 21, 20, 59, 55, tzinfo=UTC))
    market.advance(datetime(2026, 8, 23, 21, 59, tzinfo=UTC))
    assert market.now == datetime(2026, 8, 23, 21, 59, tzinfo=UTC)


def test_settled_lines_roll_off():
    market = fresh(start=datetime(2026, 8, 20, 19, 59, 58, tzinfo=UTC))
    board = market.board("$SPX")
    symbol = board.lines.symbol[board.groups[0].start]
    assert board.row_of(symbol) is not None
    market.advance(datetime(2026, 8, 20, 20, 0, 1, tzinfo=UTC))
    assert board.row_of(symbol) is None
    assert board.listed()[0].expiry.day.isoformat() == "2026-08-21"


def test_am_lines_settle_at_the_open_of_their_friday():
    market = fresh(start=datetime(2026, 8, 21, 13, 29, 58, tzinfo=UTC))
    assert [group.expiry.root for group in market.board("$SPX").listed()[:2]] == ["SPX", "SPXW"]
    market.advance(datetime(2026, 8, 21, 13, 30, 0, tzinfo=UTC))
    assert [group.expiry.root for group in market.board("$SPX").listed()[:2]] == ["SPXW", "SPXW"]


def test_a_new_day_rolls_closes_and_volume_and_keeps_open_interest():
    market = fresh(start=datetime(2026, 8, 21, 20, 0, tzinfo=UTC))
    board = market.board("$SPX")
    later = next(group for group in board.listed() if group.expiry.day.isoformat() == "2026-08-28")
    symbol = board.lines.symbol[later.start + 60]
    board.lines.open_interest[later.start + 60] = 123_456_789
    last = market.spot("SPX")
    market._step = int(datetime(2026, 8, 24, 13, 29, 59, tzinfo=UTC).timestamp()) * 4  # skip the weekend
    market.advance(datetime(2026, 8, 24, 13, 30, 2, tzinfo=UTC))
    board = market.board("$SPX")
    row = board.row_of(symbol)
    assert market.tape("$SPX").close == last
    assert board.lines.volume.sum() < 5000
    assert board.lines.open_interest[row] >= 123_456_789
    assert board.listed()[0].expiry.day.isoformat() == "2026-08-24"


def test_mids_obey_put_call_parity(still):
    board = still.board("$SPX")
    for group in board.listed():
        rows = np.arange(group.start, group.stop)
        quotes = board.quotes(rows)
        mid, half = (quotes.bid + quotes.ask) / 2.0, rows.size // 2
        strike = board.lines.strike[rows][:half]
        near = np.abs(strike / board.spot - 1.0) < 0.01
        years = (group.expiry.settle_at.timestamp() - board.now_s) / (365 * 86400)
        forwards = (strike + (mid[:half] - mid[half:]) * np.exp(0.043 * years))[near]
        assert np.median(forwards) == pytest.approx(board.spot * np.exp(0.03 * years), abs=0.15)


def test_bids_are_below_asks(still):
    for item in still.underlyings:
        board = still.board(item.wire)
        quotes = board.quotes(np.arange(len(board.lines)))
        assert (quotes.bid < quotes.ask).all()
        assert (quotes.bid >= 0.0).all()


def test_deep_lines_lose_their_volatility_on_one_side_only(still):
    board = still.board("$SPX")
    group = board.listed()[0]
    failed = board.quotes(np.arange(group.start, group.stop)).failed
    half = failed.size // 2
    assert failed[:half].any()
    assert not (failed[:half] & failed[half:]).any()


def test_an_unknown_underlying_is_refused():
    with pytest.raises(RequestError, match="XYZ"):
        Market.generate(("XYZ",), start_at=START, seed=1)


def test_a_naive_start_has_no_place():
    with pytest.raises(ValueError, match="naive"):
        fresh(start=datetime(2026, 8, 20))  # noqa: DTZ001 - naive on purpose


@pytest.mark.parametrize("hour", [0, 4, 9, 11, 20])
def test_a_market_that_is_always_open_has_minutes_behind_it_at_any_hour(hour):
    at = datetime(2026, 11, 30, hour, 10, tzinfo=NEW_YORK)
    market = Market.generate(start_at=at, seed=1, always_open=True)
    assert len(market.candles("SPY")) >= 60
