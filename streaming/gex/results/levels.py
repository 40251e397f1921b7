"""Read off a ladder: majors, walls, the ladder split and its strongest strikes (`specs/gex-method.md` §8, §9, §22)."""

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


def walls(strikes: Floats, ladders: Floats, spot: float) -> list[dict[str, Level]]:
    """The walls of several ladders over the same strikes, by their names; one that has no strike of its sign is absent.

    `ladders` has shape (ladders, 2, strikes): puts, calls. Ties go nearer to spot, then to the lower strike.
    """
    if strikes.size == 0:
        return [{} for _ in ladders]
    nearest_first = np.argsort(np.abs(strikes - spot), kind="stable")
    near = strikes[nearest_first]
    puts, calls = np.moveaxis(ladders[..., nearest_first], 1, 0)
    heights = np.stack((puts + calls, calls, np.where(near >= spot, calls, 0.0)))
    depths = np.stack((puts + calls, puts, np.where(near <= spot, puts, 0.0)))
    at = np.stack((heights.argmax(axis=-1), depths.argmin(axis=-1)), axis=1)
    values = np.stack((np.maximum(heights.max(axis=-1), 0.0), np.minimum(depths.min(axis=-1), 0.0)), axis=1)
    columns = (table.reshape(len(WALLS), -1).T.tolist() for table in (near[at], values))
    return [
        {name: (strike, value) for name, strike, value in zip(WALLS, *row, strict=True) if value}
        for row in zip(*columns, strict=True)
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
    later = np.flatnonzero(ladder[at + 1 :])
    if later.size == 0:
        return None
    after = at + 1 + int(later[0])
    low, high = float(ladder[at]), float(ladder[after])
    return float(strikes[at]) - low * float(strikes[after] - strikes[at]) / (high - low)


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


def side_rows(strikes: Floats, shown: NDArray[np.intp], oi: Floats, vol: Floats) -> tuple[SideRow, ...]:
    """Calls and puts apart at the strikes `shown`, ascending; `oi` and `vol` have shape (2, strikes), puts first."""
    columns = (vol[1], vol[0], oi[1], oi[0])
    rounded = (np.round(column[shown]).tolist() for column in columns)
    return tuple(zip(strikes[shown].tolist(), *rounded, strict=True))


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
    sizes = np.abs(nets)
    falling = np.sort(sizes, axis=1)[:, ::-1]
    running = np.cumsum(falling, axis=1)
    total = running[:, -1]
    needed = (1 + np.count_nonzero(running < _MOST_OF_IT * total[:, None], axis=1)).tolist()
    fifth = falling[:, min(MOST, strikes.size) - 1]
    return [
        Concentration(
            _top(strikes, net, np.flatnonzero(size >= least), whole) if whole > 0.0 else (),
            count if whole > 0.0 else None,
            most,
        )
        for net, size, least, whole, count, most in zip(
            nets, sizes, fifth, total.tolist(), needed, _largest(strikes, gross), strict=True
        )
    ]


def _largest(strikes: Floats, gross: Floats) -> list[tuple[TopStrike, ...]]:
    """The five largest of each row; where only five are wanted, a partition is a tenth of a sort."""
    rank = max(strikes.size - MOST, 0)
    fifth = np.partition(gross, rank, axis=1)[:, rank]
    rows = zip(gross, fifth, gross.sum(axis=1).tolist(), strict=True)
    return [
        _top(strikes, row, np.flatnonzero(row >= least), whole) if whole > 0.0 else () for row, least, whole in rows
    ]


def _top(strikes: Floats, ladder: Floats, among: NDArray[np.intp], whole: float) -> tuple[TopStrike, ...]:
    """The strongest of the rows `among`, of equal ones the lower strike first."""
    rows = sorted(zip(strikes[among].tolist(), ladder[among].tolist(), strict=True), key=lambda row: -abs(row[1]))
    return tuple((strike, net, abs(net) / whole) for strike, net in rows[:MOST] if net != 0.0)
