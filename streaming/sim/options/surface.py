"""The volatility smile, and where open interest and the day's volume sit. Pure numpy, seeded."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.sim.prices.instruments import Underlying
from streaming.sim.prices.listing import ExpiryType

Floats = NDArray[np.float64]
_MONTH_YEARS: Final = 30.0 / 365.0
_FLOOR: Final = 0.045
_CEILING: Final = 2.5
_TYPE_WEIGHT: Final[dict[ExpiryType, float]] = {"S": 4.0, "Q": 3.0, "M": 2.0, "W": 0.8}


def smile(underlying: Underlying, *, strike: Floats, forward: float, t: float) -> Floats:
    """Implied volatility per strike: skewed to the downside, steeper and more curved at short maturities.

    `t` in years. Moneyness is measured in standard deviations, so that the shape holds at every expiry.
    """
    base = underlying.sigma * _term(t)
    x = np.log(strike / forward) / (base * np.sqrt(max(t, 2e-4)))
    skew = np.where(x < 0.0, -0.105 * x, -0.045 * x)
    wing = 0.012 * np.minimum(np.abs(x), 12.0) ** 2
    return np.asarray(np.clip(base * (1.0 + skew + wing), _FLOOR, _CEILING))


def _term(t: float) -> float:
    """Term structure: low today, one at a month, a little higher later."""
    return float(0.80 + 0.20 * min(np.sqrt(t / _MONTH_YEARS), 1.0) + 0.06 * np.log1p(max(t / _MONTH_YEARS - 1.0, 0.0)))


def roundness(underlying: Underlying, strike: Floats) -> Floats:
    """How much people like a strike: the weight of the largest round multiple that divides it."""
    weight = np.full(strike.shape, 0.5)
    for multiple, value in underlying.round_at:
        whole = np.abs(strike / multiple - np.round(strike / multiple)) < 1e-9  # noqa: PLR2004 - rounding noise
        weight = np.where(whole, value, weight)
    return weight


def spread_in_deviations(*, strike: Floats, spot: float, sigma: float, t: float) -> Floats:
    """ln(K/S) in standard deviations of the time left, never finer than that of three days."""
    return np.asarray(np.log(strike / spot) / (sigma * np.sqrt(max(t, 3.0 / 365.0))))


def open_interest(
    underlying: Underlying,
    *,
    strike: Floats,
    is_call: NDArray[np.bool_],
    spot: float,
    t: float,
    kind: ExpiryType,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Contracts open per line: at round strikes, puts below spot and larger, calls above."""
    x = spread_in_deviations(strike=strike, spot=spot, sigma=underlying.sigma, t=t)
    puts = 1.3 * np.exp(-0.5 * ((x + 1.5) / 1.35) ** 2) + 0.04
    calls = 1.1 * np.exp(-0.5 * ((x - 1.0) / 1.0) ** 2) + 0.02
    level = underlying.open_interest * _TYPE_WEIGHT[kind] * np.where(is_call, calls, puts)
    noise = np.exp(0.55 * rng.standard_normal(strike.shape))
    return np.floor(level * roundness(underlying, strike) * noise).astype(np.int64)


def trading_weight(
    underlying: Underlying, *, strike: Floats, is_call: NDArray[np.bool_], liking: Floats, spot: float, t: Floats
) -> Floats:
    """Relative chance that the next contract trades on each line: near spot, out of the money, soon.

    `liking` is the strikes' `roundness`, `t` the years left; lines with none left get no chance.
    """
    x = np.log(strike / spot) / (underlying.sigma * np.sqrt(np.maximum(t, 1.5 / 365.0)))
    side = np.where(is_call, x - 0.25, x + 0.35)
    near = np.exp(-0.5 * (side / 0.8) ** 2) + 0.002
    soon = np.where(t > 0.0, 1.0 / (0.25 + np.maximum(t * 365.0, 0.0) ** 1.3), 0.0)
    return np.asarray(near * soon * np.sqrt(liking))
