"""Black-Scholes as the textbook writes it: gamma, delta, vanna, charm (`specs/gex-method.md` §3), to hold ours against.

All arguments broadcast. `years` is time to expiry, `iv` a fraction, `rate` and `dividend` are continuous per
year. `ratio` is a parity forward over spot (§6): it replaces `exp((rate - dividend) * years)`, and the
dividend discount then stays out. The inputs must be usable: positive prices, volatility and time.
"""

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, Real, normal_cdf


def d1(
    spot: Real,
    strike: Real,
    iv: Real,
    years: Real,
    *,
    rate: float = 0.0,
    dividend: float = 0.0,
    ratio: Real | None = None,
) -> Floats:
    """How far the forward lies above the strike, in standard deviations, plus half of one."""
    deviation = np.asarray(iv, np.float64) * np.sqrt(years)
    moneyness = np.log(np.asarray(spot, np.float64) / strike) + _growth(years, rate, dividend, ratio)
    result: Floats = moneyness / deviation + 0.5 * deviation
    return result


def gamma(
    spot: Real,
    strike: Real,
    iv: Real,
    years: Real,
    *,
    rate: float = 0.0,
    dividend: float = 0.0,
    ratio: Real | None = None,
) -> Floats:
    """Change of delta per point of spot; the same for call and put."""
    z = d1(spot, strike, iv, years, rate=rate, dividend=dividend, ratio=ratio)
    deviation = np.asarray(iv, np.float64) * np.sqrt(years)
    result: Floats = _discount(years, dividend, ratio) * normal_density(z) / (np.asarray(spot) * deviation)
    return result


def delta(
    spot: Real,
    strike: Real,
    iv: Real,
    years: Real,
    is_call: NDArray[np.bool_] | bool,
    *,
    rate: float = 0.0,
    dividend: float = 0.0,
    ratio: Real | None = None,
) -> Floats:
    """Calls between 0 and 1, puts between -1 and 0."""
    z = d1(spot, strike, iv, years, rate=rate, dividend=dividend, ratio=ratio)
    side = np.where(is_call, 1.0, -1.0)
    result: Floats = side * _discount(years, dividend, ratio) * normal_cdf(side * z)
    return result


def vanna(
    spot: Real,
    strike: Real,
    iv: Real,
    years: Real,
    *,
    rate: float = 0.0,
    dividend: float = 0.0,
    ratio: Real | None = None,
) -> Floats:
    """Change of delta per 1.00 of volatility; the same for call and put."""
    z = d1(spot, strike, iv, years, rate=rate, dividend=dividend, ratio=ratio)
    d2 = z - np.asarray(iv, np.float64) * np.sqrt(years)
    result: Floats = -_discount(years, dividend, ratio) * normal_density(z) * d2 / iv
    return result


def charm(
    spot: Real,
    strike: Real,
    iv: Real,
    years: Real,
    is_call: NDArray[np.bool_] | bool,
    *,
    rate: float = 0.0,
    dividend: float = 0.0,
    ratio: Real | None = None,
) -> Floats:
    """Change of delta per year of calendar time running forward."""
    z = d1(spot, strike, iv, years, rate=rate, dividend=dividend, ratio=ratio)
    deviation = np.asarray(iv, np.float64) * np.sqrt(years)
    drift = 2.0 * _growth(years, rate, dividend, ratio) - (z - deviation) * deviation
    decay = normal_density(z) * drift / (2.0 * np.asarray(years) * deviation)
    side = np.where(is_call, 1.0, -1.0)
    carry = side * dividend * normal_cdf(side * z) if ratio is None else 0.0
    result: Floats = _discount(years, dividend, ratio) * (carry - decay)
    return result


def _growth(years: Real, rate: float, dividend: float, ratio: Real | None) -> Floats:
    """The logarithm of forward over spot."""
    if ratio is not None:
        return np.asarray(np.log(ratio), np.float64)
    return (rate - dividend) * np.asarray(years, np.float64)


def _discount(years: Real, dividend: float, ratio: Real | None) -> Floats:
    exponent = -dividend if ratio is None else 0.0
    return np.asarray(np.exp(exponent * np.asarray(years, np.float64)), np.float64)


def normal_density(x: Real) -> Floats:
    """The standard normal density."""
    x = np.asarray(x, np.float64)
    density: Floats = np.exp(-0.5 * x * x) / ROOT_2PI
    return density
