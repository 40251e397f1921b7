"""Which implied volatilities can be used, and what replaces those that cannot (`specs/gex-method.md` §7)."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Ints, Lines

BadIv = Literal["mirror", "drop"]
Fault = Literal["missing", "zero", "too low", "too high"]
Outcome = Literal["mirrored", "no other side", "other side unusable", "not mirrored"]
LOWEST: Final = 0.02
HIGHEST: Final = 10.0
FAULTS: Final[tuple[Fault, ...]] = ("missing", "zero", "too low", "too high")
OUTCOMES: Final[tuple[Outcome, ...]] = ("mirrored", "no other side", "other side unusable", "not mirrored")


@dataclass(frozen=True, slots=True, eq=False)
class CleanIv:
    """Volatility per line, NaN where a line cannot be priced; `mirrored` marks borrowed ones."""

    iv: Floats
    mirrored: NDArray[np.bool_]
    bad: Ints
    """Lines whose own volatility is unusable, ascending."""
    code: Ints
    """Of each of those: its place in `FAULTS` times 4, plus its place in `OUTCOMES`."""


def is_usable(iv: Floats) -> NDArray[np.bool_]:
    """True where a volatility is finite and strictly between 0.02 and 10; feeds mark "none" outside."""
    with np.errstate(invalid="ignore"):
        usable: NDArray[np.bool_] = (iv > LOWEST) & (iv < HIGHEST)
    return usable


def clean_iv(lines: Lines, iv: Floats, bad_iv: BadIv) -> CleanIv:
    """Keep usable values; `mirror` fills the others from the opposite side of the same root, expiry and strike."""
    usable = is_usable(iv)
    own = np.where(usable, iv, np.nan)
    mirrored = np.zeros(iv.size, np.bool_)
    bad = np.flatnonzero(~usable)
    if bad.size == 0 or bad_iv == "drop":
        return CleanIv(own, mirrored, bad, _codes(iv[bad], np.full(bad.size, OUTCOMES.index("not mirrored"))))
    borrowed = _opposite(lines, own, usable, bad)
    own[bad] = borrowed
    mirrored[bad] = np.isfinite(borrowed)
    return CleanIv(own, mirrored, bad, _codes(iv[bad], _outcomes(lines, bad, borrowed)))


def _opposite(lines: Lines, iv: Floats, usable: NDArray[np.bool_], bad: Ints) -> Floats:
    by_pair = np.full((2, lines.pair_call.size), np.nan)
    rows = np.flatnonzero(usable)
    by_pair[lines.is_call[rows].astype(np.intp), lines.pair[rows]] = iv[rows]
    taken: Floats = by_pair[(~lines.is_call[bad]).astype(np.intp), lines.pair[bad]]
    return taken


def _outcomes(lines: Lines, bad: Ints, borrowed: Floats) -> Ints:
    pair = lines.pair[bad]
    listed = np.where(lines.is_call[bad], lines.pair_put[pair], lines.pair_call[pair]) >= 0
    unpriced = np.where(listed, OUTCOMES.index("other side unusable"), OUTCOMES.index("no other side"))
    return np.where(np.isfinite(borrowed), OUTCOMES.index("mirrored"), unpriced)


def _codes(iv: Floats, outcome: Ints) -> Ints:
    """Faults in the order of `FAULTS`; a negative volatility is a mark for none, not a low one."""
    fault = np.select([iv == 0.0, (iv > 0.0) & (iv <= LOWEST), iv >= HIGHEST], [1, 2, 3], 0)
    return fault * len(OUTCOMES) + outcome
