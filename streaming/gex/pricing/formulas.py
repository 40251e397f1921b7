"""Black-Scholes on arrays, elementwise only: gamma, delta, vanna, charm (`specs/gex-method.md` §3) and the clock (§5).

All arguments broadcast. `years` is time to expiry, `iv` a fraction, `rate` and `dividend` are continuous per
year. `ratio` is a parity forward over spot (§6): it replaces `exp((rate - dividend) * years)`, and the
dividend discount then stays out. The inputs must be usable: positive prices, volatility and time.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Real = Floats | float

YEAR_S: Final = 365.0 * 86_400.0
SHORTEST_S: Final = 60.0
ROOT_2PI: Final = float(np.sqrt(2.0 * np.pi))
_TAIL: Final = 7.07106781186547
_NUMERATOR: Final = (
    3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383,
    112.079291497871, 221.213596169931, 220.206867912376,
)  # fmt: skip
_DENOMINATOR: Final = (
    8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461,
    296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752,
)  # fmt: skip


def years_to_expiry(settle_s: Real, asof_s: Real) -> Floats:
    """Calendar time from the quote to the settlement instant in years of 365 days, at least 60 s."""
    return np.maximum(np.asarray(settle_s, np.float64) - asof_s, SHORTEST_S) / YEAR_S


def normal_density(x: Real) -> Floats:
    """The standard normal density."""
    x = np.asarray(x, np.float64)
    density: Floats = np.exp(-0.5 * x * x) / ROOT_2PI
    return density


def normal_cdf(x: Real) -> Floats:
    """The standard normal distribution to 1e-14."""
    x = np.asarray(x, np.float64)
    tail = normal_tail(x, np.exp(-0.5 * x * x))
    return np.where(x > 0.0, 1.0 - tail, tail)


def normal_tail(x: Floats, bell: Floats) -> Floats:
    """What lies beyond |x|, by Hart's rational form (held constant in the far tails); `bell` is exp(-x²/2)."""
    core = np.minimum(np.abs(x), _TAIL)
    tail = horner(core, _NUMERATOR)
    tail /= horner(core, _DENOMINATOR)
    tail *= bell
    return tail


def horner(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """A polynomial at x, its highest coefficient first."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value *= x
        value += coefficient
    return value


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
