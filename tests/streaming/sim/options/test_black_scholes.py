from math import erf, exp, sqrt

import numpy as np
import pytest

from streaming.sim.options.black_scholes import normal_cdf, price, value_lines

STRIKES = np.array([90.0, 100.0, 110.0])
YEARS = np.full(3, 0.25)
SIGMA = np.array([0.25, 0.20, 0.18])
FORWARD = np.full(3, 101.0)


def priced(*, call: bool, forward=FORWARD, t=YEARS, sigma=SIGMA, rate=0.04):
    return price(forward=forward, strike=STRIKES, t=t, sigma=sigma, rate=rate, is_call=np.full(3, call))


def test_the_normal_distribution_agrees_with_the_error_function():
    x = np.linspace(-8.0, 8.0, 401)
    exact = [0.5 * (1.0 + erf(value / sqrt(2.0))) for value in x]
    assert np.abs(normal_cdf(x) - exact).max() < 2e-7


def test_a_call_less_a_put_is_the_discounted_forward_less_the_strike():
    gap = priced(call=True) - priced(call=False)
    assert gap == pytest.approx(exp(-0.04 * 0.25) * (101.0 - STRIKES), abs=1e-9)


def test_prices_match_a_textbook_value():
    # Hull's example: S 42, K 40, r 10 %, sigma 20 %, half a year
    forward = np.array([42.0 * exp(0.05)])
    kwargs = {
        "forward": forward,
        "strike": np.array([40.0]),
        "t": np.array([0.5]),
        "sigma": np.array([0.2]),
        "rate": 0.1,
    }
    assert price(**kwargs, is_call=np.array([True]))[0] == pytest.approx(4.76, abs=0.005)
    assert price(**kwargs, is_call=np.array([False]))[0] == pytest.approx(0.81, abs=0.005)


def test_greeks_are_the_slopes_of_the_price():
    spot, step = 100.0, 0.01
    growth = FORWARD / spot

    def at(level):
        return value_lines(
            spot=level,
            forward=growth * level,
            strike=STRIKES,
            t=YEARS,
            sigma=SIGMA,
            rate=0.04,
            is_call=np.array([True, False, True]),
        )

    here, up, down = at(spot), at(spot + step), at(spot - step)
    assert here.delta == pytest.approx((up.price - down.price) / (2 * step), abs=1e-4)
    assert here.gamma == pytest.approx((up.delta - down.delta) / (2 * step), abs=1e-4)
    assert (here.theta < 0.0).all()
    assert (here.vega > 0.0).all()


def test_far_lines_are_worth_nothing_but_never_less():
    value = price(
        forward=np.array([100.0]),
        strike=np.array([900.0]),
        t=np.array([1e-5]),
        sigma=np.array([0.05]),
        rate=0.04,
        is_call=np.array([True]),
    )
    assert value[0] == 0.0
