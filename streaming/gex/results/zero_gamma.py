"""Zeros of the re-priced total: sweep, refine, track (`specs/gex-method.md` §9).

The total is sampled on a grid over ±20 % of spot. Sign changes between neighbouring samples bracket the roots;
each is refined by Newton's method inside its bracket. A sample below 1e-12 of the largest has no sign: far from all
strikes of a short-dated scope the total fades to nothing, and sign changes there are no levels. Between full sweeps,
roots are followed from where they were.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.priced import Kernel

REACH: Final = 0.2
STEPS: Final = 160
TOLERANCE: Final = 1e-10
SILENT: Final = 1e-12
_FINE_SHARE: Final = 0.25
_FINE_DEVIATIONS: Final = 8.0
_FINE_REACH: Final = 0.005
_FINE_STEPS: Final = 100
_GROWTH: Final = 1.15
_DECIMALS: Final = 12
_ITERATIONS: Final = 60
_TRACK_ITERATIONS: Final = 8
_TRACK_REACH: Final = 0.003
_TRACK_TOLERANCE: Final = 1e-7

Note = Literal["positive everywhere", "negative everywhere", "no exposure"]


@dataclass(frozen=True, slots=True)
class Root:
    """A level where the total is 0, its direction with rising spot (+1: from - to +), and its slope there.

    `slope` is in dollars per 1 % move per point.
    """

    level: float
    direction: int
    slope: float


@dataclass(frozen=True, slots=True)
class Roots:
    """All roots in ascending order, or why there is none."""

    roots: tuple[Root, ...] = ()
    note: Note | None = None

    def nearest(self, spot: float) -> Root | None:
        """The root nearest to spot; the lower one when two are equally near."""
        return min(self.roots, key=lambda root: (abs(root.level - spot), root.level), default=None)


class Total:
    """G(S') of one slice of lines under one weight, with its derivative."""

    def __init__(self, kernel: Kernel, rows: slice, weight: int) -> None:
        self._anchor = kernel.anchor
        self._coefficient = kernel.coefficient[weight, rows]
        self._slope = kernel.slope[rows]
        self._offset = kernel.offset[rows]

    def at(self, level: float) -> tuple[float, float]:
        """The total and its derivative by the level."""
        d1 = self._slope * np.log(level / self._anchor)
        d1 += self._offset
        bell = d1 * d1
        bell *= -0.5
        np.exp(bell, out=bell)
        total = float(self._coefficient @ bell)
        d1 *= self._slope
        d1 *= bell
        return level * total, total - float(self._coefficient @ d1)


def sweep_levels(spot: float, deviation: float) -> Floats:
    """Sampling levels, ascending: every 0.25 % of spot within ±20 %, finer near spot for a short `deviation`.

    `deviation` is σ·√T of the nearest expiry at the money. Within 8 of it (at least 0.5 %, at most 100 steps)
    the step is a quarter of it; from there it grows by 15 % a step until it meets the coarse one.
    """
    coarse = np.linspace(1.0 - REACH, 1.0 + REACH, STEPS + 1)
    step = _FINE_SHARE * deviation
    if not 0.0 < step < 2.0 * REACH / STEPS:
        return spot * coarse
    near = min(max(_FINE_DEVIATIONS * deviation, _FINE_REACH), _FINE_STEPS * step, REACH)
    even = step * np.arange(1, int(np.ceil(near / step)) + 1)
    growth = np.log(2.0 * REACH / STEPS / step) / np.log(_GROWTH)
    wider = even[-1] + step * np.cumsum(_GROWTH ** np.arange(1, int(growth) + 1))
    out = np.concatenate((even, wider[wider < REACH]))
    outer = coarse[np.abs(coarse - 1.0) > out[-1]]
    levels: Floats = np.unique(np.round(np.concatenate((outer, 1.0 - out, [1.0], 1.0 + out)), _DECIMALS))
    return spot * levels


def find_roots(total: Total, levels: Floats, samples: Floats) -> Roots:
    """Bracket by the samples' signs, then refine to 1e-10 of the level."""
    size = np.abs(samples)
    kept = np.flatnonzero(size > SILENT * size.max(initial=0.0))
    signs = np.sign(samples)
    if kept.size == 0:
        return Roots(note="no exposure")
    changes = np.flatnonzero(signs[kept[1:]] != signs[kept[:-1]])
    if changes.size == 0:
        return Roots(note="positive everywhere" if signs[kept[0]] > 0.0 else "negative everywhere")
    brackets = zip(kept[changes].tolist(), kept[changes + 1].tolist(), strict=True)
    return Roots(tuple(_refine(total, levels, samples, low, high) for low, high in brackets))


def _refine(total: Total, levels: Floats, samples: Floats, low: int, high: int) -> Root:
    """Newton's method, with halving where it would leave the bracket or creeps along the tail of a bell."""
    left, right = float(levels[low]), float(levels[high])
    rising = bool(samples[low] < 0.0)
    share = abs(float(samples[low])) / (abs(float(samples[low])) + abs(float(samples[high])))
    level = left + share * (right - left)
    slope, step = 0.0, right - left
    for _ in range(_ITERATIONS):
        value, slope = total.at(level)
        left, right = (level, right) if (value < 0.0) == rising else (left, level)
        guess = level - value / slope if slope else np.inf
        if not left <= guess <= right or 2.0 * abs(guess - level) > step:
            guess = 0.5 * (left + right)
        step = abs(guess - level)
        if step <= TOLERANCE * level:
            break
        level = guess
    return Root(guess, 1 if rising else -1, slope)


def track_root(total: Total, root: Root, spot: float) -> Root | None:
    """Follow a root after a small move of spot, quotes or time; None when it is lost.

    Lost means: Newton does not settle within 0.3 % of the old level, the slope turned, or it left ±20 %.
    """
    level = root.level
    for _ in range(_TRACK_ITERATIONS):
        value, slope = total.at(level)
        if slope * root.direction <= 0.0:
            return None
        step = value / slope
        level -= step
        if abs(level - root.level) > _TRACK_REACH * root.level:
            return None
        # The error left after a step of Newton's is the square of that step over the width of the bell.
        if abs(step) <= _TRACK_TOLERANCE * level:
            return Root(level, root.direction, slope) if abs(level - spot) <= REACH * spot else None
    return None


def track_roots(total: Total, known: Roots, spot: float, value_at_spot: float) -> Roots | None:
    """Follow all roots, or None when a sweep is due: one is lost, or signs around spot no longer fit."""
    followed = [track_root(total, root, spot) for root in known.roots]
    found = [root for root in followed if root is not None]
    if len(found) < len(followed):
        return None
    met = any(above.level - below.level <= TOLERANCE * spot for below, above in pairwise(found))
    if met or not _fits(found, known.note, spot, value_at_spot):
        return None
    return Roots(tuple(found), known.note)


def _fits(roots: list[Root], note: Note | None, spot: float, value: float) -> bool:
    """Whether the sign of the total at spot agrees with the roots beside it."""
    if not roots:
        expected: dict[Note | None, float] = {"positive everywhere": 1.0, "negative everywhere": -1.0}
        return bool(np.sign(value) == expected.get(note, 0.0))
    above = next((root for root in roots if root.level > spot), None)
    direction = -above.direction if above is not None else roots[-1].direction
    return value * direction >= 0.0


def nearest_deviation(kernel: Kernel, rows: slice) -> float:
    """σ·√T of the line nearest the money in a slice; 0 for an empty one."""
    if rows.stop <= rows.start:
        return 0.0
    slope = kernel.slope[rows]
    distance = np.abs(kernel.offset[rows] / slope - 0.5 / (slope * slope))
    return float(1.0 / slope[int(distance.argmin())])
