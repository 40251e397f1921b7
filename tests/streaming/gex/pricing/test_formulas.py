"""Prices and clocks against the acceptance examples B, F, I, J."""

import math
from datetime import datetime

import numpy as np
import pytest

from streaming.gex.pricing.formulas import YEAR_S, normal_cdf, years_to_expiry
from tests.support.black_scholes import charm, delta, gamma, vanna

YEARS = 0.02


@pytest.mark.parametrize(
    ("asof", "settles", "seconds"),
    [
        ("2023-06-09T13:25:00-04:00", "2023-06-09T16:00:00-04:00", 9300),
        ("2023-06-09T13:25:00-04:00", "2023-06-16T09:30:00-04:00", 590_700),
        ("2024-03-08T16:00:00-05:00", "2024-03-15T16:00:00-04:00", 601_200),
        ("2023-11-03T16:00:00-04:00", "2023-11-10T16:00:00-05:00", 608_400),
        ("2024-07-03T12:59:30-04:00", "2024-07-03T13:00:00-04:00", 60),
    ],
)
def test_time_to_expiry_is_calendar_seconds_with_a_floor_of_one_minute(asof: str, settles: str, seconds: int):
    settle_s = datetime.fromisoformat(settles).timestamp()
    assert years_to_expiry(settle_s, datetime.fromisoformat(asof).timestamp()) == pytest.approx(
        seconds / YEAR_S, rel=1e-12
    )


@pytest.mark.parametrize(
    ("strike", "iv", "expected"),
    [(4900, 0.18, 0.002264425426831528), (5000, 0.16, 0.003525959228561530), (5100, 0.15, 0.002456860946011857)],
)
def test_gamma_has_the_digits_of_example_a(strike: float, iv: float, expected: float):
    assert gamma(5000.0, strike, iv, YEARS) == pytest.approx(expected, rel=1e-12)


def test_greeks_with_rates_have_the_digits_of_example_f():
    rates = {"rate": 0.05, "dividend": 0.015}
    assert gamma(5000.0, 5100.0, 0.15, YEARS, **rates) == pytest.approx(0.0025306954322321393, rel=1e-10)
    assert delta(5000.0, 5100.0, 0.15, YEARS, True, **rates) == pytest.approx(0.1867038033269558, rel=1e-10)
    assert delta(5000.0, 5100.0, 0.15, YEARS, False, **rates) == pytest.approx(-0.8129962416685446, rel=1e-10)
    assert vanna(5000.0, 5100.0, 0.15, YEARS, **rates) == pytest.approx(1.630411270477574, rel=1e-10)
    assert charm(5000.0, 5100.0, 0.15, YEARS, True, **rates) == pytest.approx(-6.554113407881622, rel=1e-10)
    assert charm(5000.0, 5100.0, 0.15, YEARS, False, **rates) == pytest.approx(-6.569108908556554, rel=1e-10)


def test_a_parity_ratio_stands_in_for_the_rates():
    assert gamma(5000.0, 5000.0, 0.14, 0.25) == pytest.approx(0.0011391371516350163, rel=1e-12)
    assert gamma(5000.0, 5000.0, 0.14, 0.25, ratio=1.01196) == pytest.approx(0.0011161699790368286, rel=1e-12)


@pytest.mark.parametrize(
    ("seconds", "linear"),
    [(23_400, 1.2204601806830113), (900, 6.223158268930214), (60, 24.102189491964094), (1, 24.102189491964094)],
)
def test_gamma_at_the_money_grows_until_the_floor_holds_it(seconds: float, linear: float):
    years = years_to_expiry(seconds, 0.0)
    assert 0.01 * 5000 * gamma(5000.0, 5000.0, 0.12, years) == pytest.approx(linear, rel=1e-12)


def test_the_normal_distribution_agrees_with_the_error_function():
    x = np.linspace(-40.0, 40.0, 4001)
    exact = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x])
    assert np.max(np.abs(normal_cdf(x) - exact)) < 1e-14


def test_finite_differences_of_delta_give_gamma_vanna_and_charm():
    spot, strike, iv, years, step = 5000.0, 5070.0, 0.15, 0.05, 1e-4
    rates = {"rate": 0.04, "dividend": 0.01}

    def slope(low: float, high: float, width: float) -> float:
        return (high - low) / (2 * width)

    by_spot = slope(
        delta(spot - 0.5, strike, iv, years, True, **rates), delta(spot + 0.5, strike, iv, years, True, **rates), 0.5
    )
    by_iv = slope(
        delta(spot, strike, iv - step, years, True, **rates), delta(spot, strike, iv + step, years, True, **rates), step
    )
    by_time = slope(
        delta(spot, strike, iv, years + 1e-6, False, **rates),
        delta(spot, strike, iv, years - 1e-6, False, **rates),
        1e-6,
    )
    assert by_spot == pytest.approx(gamma(spot, strike, iv, years, **rates), abs=1e-6)
    assert by_iv == pytest.approx(vanna(spot, strike, iv, years, **rates), abs=1e-5)
    assert by_time == pytest.approx(charm(spot, strike, iv, years, False, **rates), rel=1e-6)
