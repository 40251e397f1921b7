"""w = σ·√T from prices, against Black's formula in plain Python and a bisection of it."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaming.gex.pricing.total_volatility import total_volatility

FORWARD = 4300.0
FEW = settings(max_examples=150, deadline=None, derandomize=True)


def black(w: float, forward: float, strike: float) -> float:
    """The undiscounted price of the out-of-the-money side."""
    side = 1.0 if strike >= forward else -1.0
    d1 = math.log(forward / strike) / w + w / 2.0
    upper, lower = (0.5 * math.erfc(-side * d / math.sqrt(2.0)) for d in (d1, d1 - w))
    return side * (forward * upper - strike * lower)


def by_halving(price: float, forward: float, strike: float) -> float:
    low, high = 0.0, 20.0
    for _ in range(120):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if black(middle, forward, strike) < price else (low, middle)
    return 0.5 * (low + high)


def solved(price: float, forward: float, strike: float) -> float:
    return float(total_volatility(np.array([price]), np.array([forward]), np.array([strike]))[0])


@FEW
@given(st.floats(math.log(1e-4), math.log(5.0)), st.floats(-6.3, 6.3), st.sampled_from((0.07, 4300.0, 2e5)))
def test_the_price_of_any_total_volatility_gives_it_back(log_w: float, deviations: float, forward: float):
    w = math.exp(log_w)
    strike = forward * math.exp(w * deviations)
    price = black(w, forward, strike)
    if 2e-12 * math.sqrt(forward * strike) < price:
        assert solved(price, forward, strike) == pytest.approx(w, abs=1e-10)


@FEW
@given(st.floats(-3.0, 3.0), st.floats(1e-9, 0.99))
def test_any_price_between_its_bounds_gives_what_a_bisection_gives(moneyness: float, share: float):
    strike = FORWARD * math.exp(moneyness)
    price = share * min(FORWARD, strike)
    assert solved(price, FORWARD, strike) == pytest.approx(by_halving(price, FORWARD, strike), abs=1e-10)


@pytest.mark.parametrize("w", [1e-4, 1e-3, 0.02, 0.3, 1.0, 2.0, 5.0])
def test_at_the_money_the_price_is_an_error_function(w: float):
    assert solved(FORWARD * math.erf(w / math.sqrt(8.0)), FORWARD, FORWARD) == pytest.approx(w, abs=1e-11)


@pytest.mark.parametrize("price", [0.0, -1.0, math.nan, math.inf, 4000.0, 4000.1, 1e-10])
def test_a_price_outside_its_bounds_has_none(price: float):
    assert math.isnan(solved(price, FORWARD, 4000.0))


@pytest.mark.parametrize("price", [1e-8, 0.05, 3999.999999])
def test_a_price_just_inside_its_bounds_has_one(price: float):
    assert 0.0 < solved(price, FORWARD, 4000.0) < 20.0


def test_a_forward_that_is_not_known_and_nothing_at_all_cost_nothing():
    assert math.isnan(solved(10.0, math.nan, 4000.0))
    assert total_volatility(*np.empty((3, 0))).size == 0


def test_bad_lines_leave_the_good_ones_alone():
    strikes = np.linspace(3000.0, 5600.0, 53)
    prices = np.array([black(0.2, FORWARD, strike) for strike in strikes.tolist()])
    prices[::3] = math.nan
    found = total_volatility(prices, np.full(53, FORWARD), strikes)
    assert np.isnan(found[::3]).all()
    assert np.delete(found, np.s_[::3]) == pytest.approx(0.2, abs=1e-11)


def test_ten_thousand_strikes_take_milliseconds():
    rng = np.random.default_rng(1)
    strikes = FORWARD * np.exp(rng.normal(0.0, 0.2, 10_000))
    wanted = rng.uniform(0.05, 0.6, 10_000)
    prices = np.array(
        [black(*each) for each in zip(wanted.tolist(), [FORWARD] * 10_000, strikes.tolist(), strict=True)]
    )
    took_s = []
    for _ in range(5):
        began_s = time.process_time()
        total_volatility(prices, np.full(10_000, FORWARD), strikes)
        took_s.append(time.process_time() - began_s)
    assert min(took_s) < 0.05, "about 2 ms; only an order of magnitude is a failure"
