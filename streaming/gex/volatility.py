"""Which implied volatilities can be used, and what replaces those that cannot (`gex.md` §7)."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from streaming.gex.lines import Lines
from streaming.gex.pricing import Floats

BadIv = Literal["mirror", "drop"]
LOWEST: Final = 0.02
HIGHEST: Final = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class CleanIv:
    """Volatility per line, NaN where a line cannot be priced; `mirrored` marks borrowed ones."""

    iv: Floats
    mirrored: NDArray[np.bool_]


def is_usable(iv: Floats) -> NDArray[np.bool_]:
    """True where a volatility is finite and strictly between 0.02 and 10; feeds mark "none" outside."""
    with np.errstate(invalid="ignore"):
        usable: NDArray[np.bool_] = (iv > LOWEST) & (iv < HIGHEST)
    return usable


def clean_iv(lines: Lines, iv: Floats, bad_iv: BadIv) -> CleanIv:
    """Keep usable values; `mirror` fills the others from the opposite side of the same root, expiry and strike."""
    usable = is_usable(iv)
    own = np.where(usable, iv, np.nan)
    nothing = np.zeros(iv.size, np.bool_)
    if bad_iv == "drop" or bool(usable.all()):
        return CleanIv(own, nothing)
    bad = np.flatnonzero(~usable)
    borrowed = _opposite(lines, own, usable, bad)
    own[bad] = borrowed
    nothing[bad] = np.isfinite(borrowed)
    return CleanIv(own, nothing)


def _opposite(lines: Lines, iv: Floats, usable: NDArray[np.bool_], bad: NDArray[np.intp]) -> Floats:
    by_pair = np.full((2, lines.pair_call.size), np.nan)
    rows = np.flatnonzero(usable)
    by_pair[lines.is_call[rows].astype(np.intp), lines.pair[rows]] = iv[rows]
    taken: Floats = by_pair[(~lines.is_call[bad]).astype(np.intp), lines.pair[bad]]
    return taken
