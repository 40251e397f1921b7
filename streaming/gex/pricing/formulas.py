"""What all prices share, elementwise: the clock (`specs/gex-method.md` §5) and the normal distribution."""

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
