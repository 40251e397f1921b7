"""Ladder and profile of a scope as rows that travel: near spot, whole dollars, bounded in number."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing import Floats
from streaming.model import LadderRow, ProfilePoint

REACH: Final = 0.1
"""Rows within 10 % of spot travel; what lies farther out is in the figures, not in the pictures."""
CLOSEST: Final = 0.0002
"""Points of a profile are at least 0.02 % of spot apart."""
_DECIMALS: Final = 4
_EDGE: Final = 1e-9


def ladder_rows(
    strikes: Floats, listed: NDArray[np.bool_], vol: Floats, oi: Floats, spot: float
) -> tuple[LadderRow, ...]:
    """Strike, net by volume and by open interest ($ per 1 %) of the scope's listed strikes near spot, ascending."""
    near = within(strikes, spot)
    shown = near.start + np.flatnonzero(listed[near])
    columns = (strikes[shown].tolist(), np.round(vol[shown]).tolist(), np.round(oi[shown]).tolist())
    return tuple(zip(*columns, strict=True))


def profile_points(levels: Floats, totals: Floats, spot: float) -> tuple[ProfilePoint, ...]:
    """Level and the totals re-priced there, of the ascending levels of a sweep near spot.

    `totals` has shape (2, levels): by open interest, by volume; $ per 1 %.
    """
    near = within(levels, spot)
    shown = near.start + _spread(levels[near], CLOSEST * spot)
    oi, vol = np.round(totals[:, shown]).tolist()
    return tuple(zip(np.round(levels[shown], _DECIMALS).tolist(), vol, oi, strict=True))


def within(ascending: Floats, spot: float) -> slice:
    """Which of the ascending levels are within 10 % of spot."""
    low = np.searchsorted(ascending, spot * (1.0 - REACH - _EDGE), side="left")
    return slice(int(low), int(np.searchsorted(ascending, spot * (1.0 + REACH + _EDGE), side="right")))


def _spread(ascending: Floats, apart: float) -> NDArray[np.intp]:
    """Places of levels that are at least `apart` from the one kept before."""
    if ascending.size == 0 or np.diff(ascending).min(initial=np.inf) >= apart:
        return np.arange(ascending.size)
    kept = [0]
    levels = ascending.tolist()
    for place, level in enumerate(levels):
        if level - levels[kept[-1]] >= apart:
            kept.append(place)
    return np.array(kept, np.intp)
