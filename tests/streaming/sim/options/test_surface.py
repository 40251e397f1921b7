import numpy as np
import pytest

from streaming.sim.options.surface import open_interest, roundness, smile, trading_weight
from streaming.sim.prices.instruments import UNDERLYINGS

SPX = UNDERLYINGS["SPX"]
STRIKES = np.arange(6000.0, 7600.0, 5.0)
SPOT = 6880.0


def test_downside_volatility_is_higher_than_upside():
    sigma = smile(SPX, strike=np.array([6600.0, 6880.0, 7160.0]), forward=SPOT, t=30 / 365)
    assert sigma[0] > sigma[1] > sigma[2]


def test_the_smile_is_lower_today_than_in_a_month():
    now, later = (smile(SPX, strike=np.array([SPOT]), forward=SPOT, t=t)[0] for t in (0.2 / 365, 30 / 365))
    assert now < later


def test_rounder_strikes_weigh_more():
    weights = roundness(SPX, np.array([6885.0, 6825.0, 6850.0, 6900.0, 6500.0]))
    assert (np.diff(weights) > 0.0).all()


def interest(*, call: bool):
    rng = np.random.default_rng(3)
    flags = np.full(STRIKES.shape, call)
    return open_interest(SPX, strike=STRIKES, is_call=flags, spot=SPOT, t=30 / 365, kind="S", rng=rng)


def test_open_interest_gathers_at_round_strikes():
    calls = interest(call=True)
    hundreds = STRIKES % 100 == 0
    assert calls[hundreds].mean() > 5 * calls[~hundreds].mean()


def test_puts_lie_below_spot_and_calls_above():
    puts, calls = interest(call=False), interest(call=True)
    assert np.average(STRIKES, weights=puts) < SPOT < np.average(STRIKES, weights=calls)
    assert puts.sum() > calls.sum()


def test_trading_concentrates_near_spot_and_soon():
    strike = np.array([6880.0, 6880.0, 6400.0, 6880.0])
    t = np.array([0.3, 20.0, 0.3, -0.1]) / 365
    weight = trading_weight(SPX, strike=strike, is_call=np.full(4, True), liking=np.ones(4), spot=SPOT, t=t)
    assert weight[0] > 10 * weight[1]
    assert weight[0] > 10 * weight[2]
    assert weight[3] == pytest.approx(0.0)
