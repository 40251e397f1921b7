"""Which strikes carry a ladder: the strongest ones, and how few hold nine tenths of it (`specs/gex-method.md` §22)."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats
from streaming.model import TopStrike

MOST: Final = 5
_MOST_OF_IT: Final = 0.9


class Concentration(NamedTuple):
    """What `concentration` says of a ladder."""

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
