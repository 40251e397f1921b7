"""Read off a ladder: majors, walls, the ladder split and its strongest strikes (`specs/gex-method.md` §8, §9, §22)."""

from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.model import LadderRow, ProfilePoint, SideRow, TopStrike

WINDOW: Final = 0.035
Level = tuple[float, float]
"""(strike, its value)."""


WALLS: Final = (
    "call_wall", "put_wall", "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below",
)  # fmt: skip
_OF_WALL: Final = np.array([1, 1, 2, 0, 2, 0])
"""What each is read off: puts, the net of both, calls."""
_SIGNS: Final = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])


def walls(strikes: Floats, ladders: Floats, spot: float) -> list[dict[str, Level]]:
    """The walls of several ladders over the same strikes, by their names; one that has no strike of its sign is absent.

    `ladders` has shape (ladders, 2, strikes): puts, calls. Ties go nearer to spot, then to the lower strike.
    """
    if strikes.size == 0:
        return [{} for _ in ladders]
    order = np.argsort(np.abs(strikes - spot), kind="stable")
    table = np.stack((ladders[:, 0], ladders.sum(axis=1), ladders[:, 1]), axis=1)
    from_spot = table[..., order]
    above, below = (int(np.searchsorted(strikes, spot, side=side)) for side in ("left", "right"))
    places = np.zeros((len(ladders), len(WALLS)), np.intp)
    places[:, :4:2] = order[from_spot[:, 1:].argmax(axis=2)]
    places[:, 1:4:2] = order[from_spot[:, 1::-1].argmin(axis=2)]
    if above < strikes.size:
        places[:, 4] = above + table[:, 2, above:].argmax(axis=1)
    if below:
        places[:, 5] = below - 1 - table[:, 0, :below][:, ::-1].argmin(axis=1)
    values = table[np.arange(len(ladders))[:, None], _OF_WALL, places]
    values[:, 4:] *= above < strikes.size, below > 0
    rows = zip(strikes[places].tolist(), values.tolist(), (values * _SIGNS > 0.0).tolist(), strict=True)
    return [
        {name: (strike, value) for name, strike, value, found in zip(WALLS, *row, strict=True) if found} for row in rows
    ]


def within_window(strikes: Floats, spot: float) -> slice:
    """Which of the ascending strikes are within 3.5 % of spot."""
    low = np.searchsorted(strikes, spot * (1.0 - WINDOW), side="left")
    return slice(int(low), int(np.searchsorted(strikes, spot * (1.0 + WINDOW), side="right")))


def ladder_splits(strikes: Floats, ladders: Floats) -> list[float | None]:
    """The crossing next to the minimum of the running sum (GEXBot's zero gamma), or None (`specs/gex-method.md` §9).

    One for each row of `ladders`, the net values at the strikes of the window. None when the running sum is never below
    0 or ends at its minimum; strikes without a value do not count.
    """
    if strikes.size == 0:
        return [None] * len(ladders)
    running = np.cumsum(ladders, axis=1)
    lowest = running.argmin(axis=1)
    sums = running[np.arange(len(ladders)), lowest].tolist()
    return [
        _crossing(strikes, ladder, at) if least < 0.0 else None
        for ladder, at, least in zip(ladders, lowest.tolist(), sums, strict=True)
    ]


def _crossing(strikes: Floats, ladder: Floats, at: int) -> float | None:
    """Between a strike and the next one that has a value; None without one."""
    if not (rest := ladder[at + 1 :]).any():
        return None
    after = at + 1 + int((rest != 0.0).argmax())
    low, high = float(ladder[at]), float(ladder[after])
    return float(strikes[at]) - low * float(strikes[after] - strikes[at]) / (high - low)


REACH: Final = 0.1
"""Rows within 10 % of spot travel; what lies farther out is in the figures, not in the pictures."""
CLOSEST: Final = 0.0002
"""Points of a profile are at least 0.02 % of spot apart."""
_DECIMALS: Final = 4
_EDGE: Final = 1e-9


def ladder_rows(strikes: Floats, listed: NDArray[np.bool_], nets: Floats, spot: float) -> tuple[LadderRow, ...]:
    """Strike, net by volume and by open interest ($ per 1 %) of the scope's listed strikes near spot, ascending.

    `nets` has shape (2, strikes): by open interest, by volume.
    """
    near = within(strikes, spot)
    shown = near.start + listed[near].nonzero()[0]
    oi, vol = nets[:, shown].round().tolist()
    return tuple(zip(strikes[shown].tolist(), vol, oi, strict=True))


def side_rows(strikes: Floats, shown: NDArray[np.intp], ladders: Floats) -> tuple[SideRow, ...]:
    """Calls and puts apart at the strikes `shown`, ascending.

    `ladders` has shape (2, 2, strikes): by open interest and by volume, puts and calls.
    """
    (put_oi, call_oi), (put_vol, call_vol) = ladders[..., shown].round().tolist()
    return tuple(zip(strikes[shown].tolist(), call_vol, put_vol, call_oi, put_oi, strict=True))


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
    low = ascending.searchsorted(spot * (1.0 - REACH - _EDGE), side="left")
    return slice(int(low), int(ascending.searchsorted(spot * (1.0 + REACH + _EDGE), side="right")))


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


MOST: Final = 5
_MOST_OF_IT: Final = 0.9


class Concentration(NamedTuple):
    """Which strikes carry a ladder: the strongest ones, and how few hold nine tenths of it."""

    top: tuple[TopStrike, ...]
    """At most five, strongest first."""
    strikes: int | None
    """How many strikes hold 90 % of the sum of |net|; None of a ladder without any exposure."""
    gross: tuple[TopStrike, ...] = ()
    """At most five of the largest with calls and puts added, largest first."""


def concentrations(strikes: Floats, ladders: Floats) -> list[Concentration]:
    """One for each row of `ladders`: $ per 1 % at the ascending strikes, shape (ladders, 2, strikes), puts first."""
    if strikes.size == 0:
        return [Concentration((), None)] * len(ladders)
    nets, gross = ladders.sum(axis=1), ladders[:, 1] - ladders[:, 0]
    signed = np.concatenate((nets, gross))
    sizes = np.abs(signed)
    falling = np.sort(sizes, axis=1)[:, ::-1]
    running = np.cumsum(falling[: len(nets)], axis=1)
    needed = 1 + np.count_nonzero(running < _MOST_OF_IT * running[:, -1:], axis=1)
    whole = np.concatenate((running[:, -1], gross.sum(axis=1)))
    least = falling[:, [min(MOST, strikes.size) - 1]]
    top = _strongest(strikes, signed, (sizes >= least) & (sizes > 0.0), whole)
    return [
        Concentration(by_net, count if total > 0.0 else None, by_gross)
        for by_net, by_gross, count, total in zip(
            top[: len(nets)], top[len(nets) :], needed.tolist(), running[:, -1].tolist(), strict=True
        )
    ]


def _strongest(
    strikes: Floats, ladders: Floats, among: NDArray[np.bool_], whole: Floats
) -> list[tuple[TopStrike, ...]]:
    """The five strongest of each row, of equal ones the lower strike first; `among` marks those that may be it."""
    rows, places = np.divmod(np.flatnonzero(among), strikes.size)
    values = ladders[rows, places]
    sizes = np.abs(values)
    order = np.lexsort((-sizes, rows))
    columns = strikes[places], values, sizes / whole[rows]
    told = list(zip(*(column[order].tolist() for column in columns), strict=True))
    begins = np.searchsorted(rows, np.arange(len(ladders) + 1)).tolist()
    return [tuple(told[low : min(high, low + MOST)]) for low, high in pairwise(begins)]
