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


def concentrations(strikes: Floats, ladders: Floats) -> list[Concentration]:
    """One for each row of `ladders`: net $ per 1 % at the ascending strikes, shape (ladders, strikes)."""
    if strikes.size == 0:
        return [Concentration((), None)] * len(ladders)
    sizes = np.abs(ladders)
    falling = np.sort(sizes, axis=1)[:, ::-1]
    running = np.cumsum(falling, axis=1)
    total = running[:, -1]
    needed = (1 + np.count_nonzero(running < _MOST_OF_IT * total[:, None], axis=1)).tolist()
    fifth = falling[:, min(MOST, strikes.size) - 1]
    return [
        Concentration(_top(strikes, ladder, np.flatnonzero(size >= least), whole), count)
        if whole > 0.0
        else Concentration((), None)
        for ladder, size, least, whole, count in zip(ladders, sizes, fifth, total.tolist(), needed, strict=True)
    ]


def _top(strikes: Floats, ladder: Floats, among: NDArray[np.intp], whole: float) -> tuple[TopStrike, ...]:
    """The strongest of the rows `among`, of equal ones the lower strike first."""
    rows = sorted(zip(strikes[among].tolist(), ladder[among].tolist(), strict=True), key=lambda row: -abs(row[1]))
    return tuple((strike, net, abs(net) / whole) for strike, net in rows[:MOST] if net != 0.0)
