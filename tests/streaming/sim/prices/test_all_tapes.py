from datetime import UTC, datetime, timedelta

from streaming.sim.prices.tape import Tape, to_tick
from streaming.sim.world.market import Market


def test_shares_and_futures_move_with_their_index(still):
    assert still.tape("SPY").last / still.tape("$SPX").last == 686.2 / 6880.0
    assert still.tape("/ES").last - still.tape("$SPX").last > 5.0


def test_a_mini_and_its_micro_trade_at_one_price(still):
    assert still.tape("/ES").last == still.tape("/MES").last
    assert still.tape("/NQ").last == still.tape("/MNQ").last


def test_futures_are_found_by_contract_too(still):
    assert still.tape("/ESU26") is still.tape("/ES")
    assert still.tape("/ESZ26") is None


def test_the_basis_shrinks_towards_expiry():
    def basis(day: int) -> float:
        market = Market.generate(("SPX",), start_at=datetime(2026, 8, day, 15, tzinfo=UTC), seed=1)
        return market.tape("/ES").last - market.tape("$SPX").last

    assert basis(3) > basis(27) > 0.0


def test_quotes_straddle_the_last_price_by_one_tick(spx):
    spx.advance(spx.now + timedelta(seconds=5))
    tape = spx.tape("/ES")
    assert tape.bid <= tape.last <= tape.ask
    assert tape.ask - tape.bid == tape.tick


def test_range_holds_the_last_price(spx):
    for _ in range(30):
        spx.advance(spx.now + timedelta(seconds=1))
        for tape in spx.tapes:
            assert tape.low <= tape.last <= tape.high


def test_a_trade_beyond_the_range_widens_it():
    tape = Tape("SPY", "share", "SPX", 0.01, last=686.0, high=686.5, low=685.5)
    tape.trade(687.0, size=100, at_ms=1)
    tape.trade(685.0, size=50, at_ms=2)
    assert (tape.high, tape.low, tape.volume, tape.last_size, tape.trade_ms) == (687.0, 685.0, 150, 50, 2)


def test_an_index_has_no_volume_and_no_quote(spx):
    spx.advance(spx.now + timedelta(seconds=3))
    assert (spx.tape("$SPX").volume, spx.tape("$SPX").bid) == (0, 0.0)


def test_a_new_day_takes_the_last_price_as_close():
    tape = Tape("SPY", "share", "SPX", 0.01, last=686.0, high=690.0, low=680.0, volume=5)
    tape.begin_day(688.0)
    assert (tape.close, tape.open, tape.high, tape.low, tape.volume) == (686.0, 688.0, 688.0, 688.0, 0)


def test_prices_lie_on_the_tick_grid():
    assert to_tick(6880.13, 0.25) == 6880.25


def test_finished_minutes_become_candles(spx):
    spx.advance(spx.now + timedelta(minutes=2, seconds=1))
    first, second = spx.candles("/ES")[-2:]
    assert second.start_ms - first.start_ms == 60_000
    assert second.seq == first.seq + 1
    assert second.low <= second.open <= second.high
    assert second.volume > 0
