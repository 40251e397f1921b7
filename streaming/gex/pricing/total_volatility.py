"""The total volatility w = σ·√T that an option's price implies, by Black's formula (`specs/gex-method.md` §7).

With x = -|ln(F/K)|, h = x/w and t = w/2 the out-of-the-money price over √(F·K) is

    β(w) = exp(-(h² + t²)/2) / √(2π) · [Y(h + t) - Y(h - t)],    Y(z) = N(z) / φ(z),

and what it lacks to its bound exp(x/2) is the same with Y(-h - t) + Y(h - t). The smaller of the two is solved for, by
its logarithm, so that neither a deep wing nor a price near its bound loses digits. The start is that of a normal
(Bachelier's) price, half a per cent off while w is small; the steps are Householder's of the third order.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import ROOT_2PI, Floats, horner

_MOST_STEPS: Final = 12
_SETTLED: Final = 1e-4
"""The error falls with its fourth power: after a relative step of this size the next one would be below 1e-15."""
_TINY: Final = 1e-9
_LEAST: Final = 1e-12
"""Of √(F·K): no option is sold for less, and what is left of less in 16 digits is nothing."""
_NUMERATOR: Final = (
    1.3709104694367696e-05, 0.00034404422110503676, 0.0041107766625095895, 0.030331112367768915, 0.15069218488167137,
    0.5165392226314463, 1.1991018003678363, 1.7445157289696653, 1.2533141373157841,
)  # fmt: skip
_DENOMINATOR: Final = (
    1.3709104694360189e-05, 0.00034404422111720114, 0.0041244857641067818, 0.030675156888286414, 0.15477552848667249,
    0.54618268962943664, 1.3417007224696221, 2.203957791979688, 2.1898067270212578, 1.0,
)  # fmt: skip
_START: Final = (0.13595534643250629, 1.4889453908853096, 6.336519017268231)
_START_BELOW: Final = (0.26771368567991566, 1.0)


def total_volatility(price: Floats, forward: Floats, strike: Floats) -> Floats:
    """σ·√T from undiscounted prices of out-of-the-money options: calls where strike >= forward, else puts.

    NaN where a price is not between 0 and its bound, the lower of forward and strike (by a trillionth of √(F·K)).
    The error is below 1e-11 for results from 1e-4 to 5.
    """
    x = -np.abs(np.log(forward / strike))
    share = price / np.sqrt(forward * strike)
    lack = np.exp(0.5 * x) - share
    found = np.full(x.size, np.nan)
    rows = np.flatnonzero((share > _LEAST) & (lack > _LEAST))
    found[rows] = _solve(x[rows], share[rows], lack[rows])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Sought:
    """What is solved for: `part` is the price, or what it lacks to its bound where that is less (`side` -1)."""

    x: Floats
    side: Floats
    log_part: Floats


def _solve(x: Floats, share: Floats, lack: Floats) -> Floats:
    is_high = lack < share
    part = np.where(is_high, lack, share)
    sought = _Sought(x, np.where(is_high, -1.0, 1.0), np.log(part * ROOT_2PI))
    w = _start(x, share)
    high = np.flatnonzero(is_high)
    w[high] = _high_start(x[high], lack[high])
    for _ in range(_MOST_STEPS):
        step = _step(w, sought)
        w += step
        if np.abs(step / w).max(initial=0.0) < _SETTLED:
            break
    return w


def _start(x: Floats, share: Floats) -> Floats:
    """A normal price over its distance from the money is a function of h alone, and this is its inverse."""
    distance = _TINY - x / share
    z = np.log1p(distance)
    start: Floats = share * distance / z * np.sqrt(horner(z, _START) / horner(z, _START_BELOW))
    return start


def _high_start(x: Floats, lack: Floats) -> Floats:
    """Near the bound the lack is about 2·cosh(x/2)·N(-w/2); N by Pólya's approximation."""
    tail = 0.5 * lack / np.cosh(0.5 * x)
    start: Floats = np.sqrt(-2.0 * np.pi * np.log(4.0 * tail * (1.0 - tail)))
    return start


def _step(w: Floats, sought: _Sought) -> Floats:
    """From the first three derivatives of the logarithm; at most to half or to twice of what w is."""
    side = sought.side
    h, t = sought.x / w, 0.5 * w
    mills = _mills(np.stack((-side * (h + t), t - h)))
    inverse = mills[0] - side * mills[1]
    newton = side * inverse * (sought.log_part - np.log(inverse) + 0.5 * (h * h + t * t))
    slope = side / inverse
    second = h * h / w - 0.25 * w - slope
    third = second * (second - slope) - 3.0 * (h / w) ** 2 - 0.25
    step = newton * (1.0 + 0.5 * second * newton) / (1.0 + newton * (second + third * newton / 6.0))
    bounded: Floats = np.clip(step, -t, w)
    return bounded


def _mills(x: Floats) -> Floats:
    """N(-x) / φ(x) to 6e-13 for x >= -1, a rational minimax approximation of our own."""
    upper = horner(x, _NUMERATOR)
    upper /= horner(x, _DENOMINATOR)
    return upper
