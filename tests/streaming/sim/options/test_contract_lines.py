from datetime import UTC, date, datetime

import numpy as np
import pytest

from streaming.calendar import settle_at
from streaming.errors import RequestError
from streaming.option_chain import OptionChain
from streaming.sim.options.contract_lines import osi_symbol, pricing_sigma
from streaming.sim.world.market import Market

ASOF = datetime(2024, 3, 14, 15, 0, tzinfo=UTC)
FRIDAY = date(2024, 3, 15)
STRIKES = [5100.0, 5150.0, 5200.0]


def chain(ticker: str = "SPX", spot: float = 5150.0, bad: float = 0.0) -> OptionChain:
    """Three strikes on a third Friday under both roots, one expired line, and one unusable volatility."""
    rows = [
        (root, FRIDAY, strike, call, 0.0 if (call and strike == 5100.0) else 0.14)
        for root in ("SPX", "SPXW")
        for strike in STRIKES
        for call in (True, False)
    ]
    rows.append(("SPXW", date(2024, 3, 13), 5150.0, True, 0.2))
    size = len(rows)
    root, day, strike, call, iv = (list(column) for column in zip(*rows, strict=True))
    iv = [bad if value == 0.0 else value for value in iv]
    return OptionChain(
        ticker=ticker,
        spot=spot,
        asof=ASOF,
        source="test",
        delayed=True,
        symbol=np.array([osi_symbol(*row[:2], is_call=row[3], strike=row[2]) for row in rows]),
        root=np.array(root),
        expiry=np.array(day, dtype="datetime64[D]"),
        settle_s=np.array([settle_at(d, am=r == "SPX").timestamp() for r, d in zip(root, day, strict=True)]),
        strike=np.array(strike),
        is_call=np.array(call),
        iv=np.array(iv),
        open_interest=np.arange(size, dtype=float) * 10.0,
        volume=np.arange(size, dtype=float),
        bid=np.full(size, np.nan),
        ask=np.full(size, np.nan),
    )


def test_option_symbols_have_21_characters():
    assert osi_symbol("SPXW", date(2025, 5, 20), is_call=True, strike=5660.0) == "SPXW  250520C05660000"
    assert osi_symbol("SPY", date(2026, 8, 20), is_call=False, strike=767.5) == "SPY   260820P00767500"


def test_a_strike_is_priced_with_the_side_out_of_the_money():
    strike, calls = np.array([90.0, 90.0, 110.0, 110.0]), np.array([True, False, True, False])
    sigma = pricing_sigma(strike=strike, is_call=calls, iv=np.array([0.30, 0.25, 0.20, 0.35]), spot=100.0)
    assert sigma.tolist() == [0.25, 0.25, 0.20, 0.20]


def test_a_bad_volatility_is_priced_with_the_other_sides_or_the_median():
    strike, calls = np.array([90.0, 90.0, 110.0]), np.array([True, False, True])
    sigma = pricing_sigma(strike=strike, is_call=calls, iv=np.array([0.25, np.nan, 0.0]), spot=100.0)
    assert sigma.tolist() == [0.25, 0.25, 0.25]


def test_a_real_chain_keeps_its_lines_and_drops_the_expired():
    board = Market.from_chain(chain(), seed=1).board("$SPX")
    assert [(group.expiry.root, group.expiry.am, group.stop - group.start) for group in board.groups] == [
        ("SPX", True, 6),
        ("SPXW", False, 6),
    ]
    row = board.row_of("SPXW  240315P05200000")
    assert board.lines.open_interest[row] == 110
    assert board.lines.volume[row] == 11
    assert board.lines.iv[row] == 0.14


@pytest.mark.parametrize("bad", [0.0, float("nan"), 26.001, 0.02])
def test_a_bad_volatility_stays_bad_and_the_line_is_priced_all_the_same(bad):
    board = Market.from_chain(chain(bad=bad), seed=1).board("$SPX")
    row = board.row_of("SPXW  240315C05100000")
    assert board.lines.iv[row] == bad or np.isnan(board.lines.iv[row])
    assert board.lines.sigma[row] == 0.14
    quotes = board.quotes(np.array([row]))
    assert quotes.bid[0] > 45.0
    assert bool(quotes.failed[0]) is bool(np.isnan(bad))


def test_a_market_of_a_real_chain_starts_at_its_quote_time_and_lives():
    market = Market.from_chain(chain(), seed=1)
    volume = int(market.board("$SPX").lines.volume.sum())
    assert (market.now, market.spot("SPX")) == (ASOF, 5150.0)
    market.advance(ASOF.replace(second=30))
    assert market.spot("SPX") != 5150.0
    assert market.board("$SPX").lines.volume.sum() > volume


def test_what_follows_a_real_index_keeps_its_ratio():
    market = Market.from_chain(chain(), seed=1)
    assert market.spot("SPY") == pytest.approx(5150.0 * 686.2 / 6880.0, abs=0.01)
    assert market.spot("NDX") == 25060.0


def test_a_chain_of_another_underlying_joins_the_usual_ones():
    market = Market.from_chain(chain(ticker="RUT", spot=2050.0), seed=1)
    assert market.spot("RUT") == 2050.0
    assert market.board("$RUT") is not None
    assert market.board("$SPX") is not None


def test_a_chain_taken_after_the_close_moves_too():
    late = chain()
    market = Market.from_chain(late, seed=1, always_open=True)
    market.advance(datetime(2024, 3, 14, 20, 30, tzinfo=UTC).replace(hour=15, minute=0, second=20))
    assert market.is_open


def test_a_chain_without_a_spot_is_refused():
    with pytest.raises(RequestError, match="SPX"):
        Market.from_chain(chain(spot=float("nan")), seed=1)


def test_the_forward_comes_from_parity_where_quotes_are_two_sided():
    quoted = chain()
    calls = quoted.is_call
    mid = np.where(calls, 60.0 + 5150.0 - quoted.strike + 8.0, 60.0)  # forward 8 points above spot
    quoted.bid[:], quoted.ask[:] = mid - 0.1, mid + 0.1
    board = Market.from_chain(quoted, seed=1).board("$SPX")
    call, put = (board.row_of(f"SPXW  240315{side}05150000") for side in "CP")
    quotes = board.quotes(np.array([call, put]))
    mids = (quotes.bid + quotes.ask) / 2.0
    assert 5150.0 + mids[0] - mids[1] == pytest.approx(5158.0, abs=0.15)
