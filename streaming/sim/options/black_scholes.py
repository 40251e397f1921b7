"""Black-Scholes on a forward: prices and greeks of many lines at once. Pure numpy, no warnings raised.

All arguments broadcast: forward and strike in points, `t` in years, sigma as a fraction, rate per year.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_ROOT_TWO_PI: Final = float(np.sqrt(2.0 * np.pi))
_ERFC: Final = (
    *(-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806),
    *(0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277),
)
"""Chebyshev coefficients of the complementary error function, relative error below 1.2e-7."""


def normal_cdf(x: Floats) -> Floats:
    """The standard normal distribution function, accurate to about 1e-7."""
    z = np.abs(x) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.5 * z)
    poly = np.zeros_like(t)
    for coefficient in reversed(_ERFC):
        poly = poly * t + coefficient
    tail = 0.5 * t * np.exp(-z * z + poly)
    return np.asarray(np.where(x >= 0.0, 1.0 - tail, tail))


def normal_pdf(x: Floats) -> Floats:
    """The standard normal density."""
    return np.asarray(np.exp(-0.5 * x * x) / _ROOT_TWO_PI)


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """Prices in points and greeks per share; theta per day, vega and rho per point of vol and of rate."""

    price: Floats
    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats


def price(
    *, forward: Floats, strike: Floats, t: Floats, sigma: Floats, rate: float, is_call: NDArray[np.bool_]
) -> Floats:
    """Discounted prices; a call and a put of one strike obey put-call parity exactly."""
    spread = sigma * np.sqrt(t)
    d1 = np.log(forward / strike) / spread + 0.5 * spread
    call = forward * normal_cdf(d1) - strike * normal_cdf(d1 - spread)
    value = np.where(is_call, call, call - forward + strike)
    return np.maximum(value, 0.0) * np.exp(-rate * t)


def value_lines(
    *, spot: float, forward: Floats, strike: Floats, t: Floats, sigma: Floats, rate: float, is_call: NDArray[np.bool_]
) -> Valuation:
    """Price and greeks of each line."""
    root_t = np.sqrt(t)
    spread = sigma * root_t
    d1 = np.log(forward / strike) / spread + 0.5 * spread
    d2 = d1 - spread
    discount = np.exp(-rate * t)
    growth = discount * forward / spot
    n1, n2, density = normal_cdf(d1), normal_cdf(d2), normal_pdf(d1)
    call = discount * (forward * n1 - strike * n2)
    decay = -spot * growth * density * sigma / (2.0 * root_t)
    carry_days = np.where(is_call, -rate * strike * discount * n2, rate * strike * discount * (1.0 - n2))
    return Valuation(
        price=np.maximum(np.where(is_call, call, call - discount * (forward - strike)), 0.0),
        delta=growth * np.where(is_call, n1, n1 - 1.0),
        gamma=growth * density / (spot * spread),
        theta=(decay + carry_days) / 365.0,
        vega=spot * growth * density * root_t / 100.0,
        rho=strike * t * discount * np.where(is_call, n2, n2 - 1.0) / 100.0,
    )
