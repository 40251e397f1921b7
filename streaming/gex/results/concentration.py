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
    order = np.argsort(-sizes, axis=1, kind="stable")
    running = np.cumsum(np.take_along_axis(sizes, order, axis=1), axis=1)
    total = running[:, -1]
    needed = 1 + np.count_nonzero(running < _MOST_OF_IT * total[:, None], axis=1)
    return [
        Concentration(_top(strikes, ladder, first, whole), int(count)) if whole > 0.0 else Concentration((), None)
        for ladder, first, whole, count in zip(ladders, order[:, :MOST], total.tolist(), needed.tolist(), strict=True)
    ]


def _top(strikes: Floats, ladder: Floats, first: NDArray[np.intp], whole: float) -> tuple[TopStrike, ...]:
    rows = zip(strikes[first].tolist(), ladder[first].tolist(), strict=True)
    return tuple((strike, net, abs(net) / whole) for strike, net in rows if net != 0.0)
