"""The total at many levels at once (`specs/gex-method.md` §16).

Over x = ln(level / anchor) each line is a bell as wide as its deviation σ·√T. A sum of wide bells is known from a few
Chebyshev nodes; only sharp ones are worked out at every level.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.lines import Ints
from streaming.gex.pricing.priced import Kernel
from streaming.gex.pricing.spans import Pieces, Span

NODES: Final = (24, 36, 56, 88)
_DIGITS: Final = 13.5
"""Of a bell's height that are right between the nodes."""
_SPARE: Final = (1.06, 14)
"""What the estimate of the width that some nodes can carry falls short by: a factor, and nodes."""
_FAINT: Final = 1e-12
"""Share of the gross below which the sign of a sum from nodes is not sure."""
_NO_DISTANCE: Final = 1e-200
"""Of a level that is a node: its share of that node is then 1, of the others 0."""
_BLOCK: Final = 1 << 16
"""Bells in one array: with more of them the processor waits for memory."""


def sample_totals(kernel: Kernel, levels: Floats, spans: tuple[Span, ...]) -> Floats:
    """The total at every ascending level for every span and both weights; shape (spans, 2, levels).

    Within 1e-12 of the gross; what is smaller than that is summed line by line, so that every sign is right.
    """
    pieces = Pieces(spans)
    x = np.log(levels / kernel.anchor)
    tiers = tuple(_tiers(x))
    sums = np.empty((2, levels.size, max(pieces.cuts.size - 1, 0)))
    for number, (low, high) in enumerate(zip(pieces.cuts[:-1], pieces.cuts[1:], strict=True)):
        sums[:, :, number] = _piece(kernel, slice(low, high), x, tiers)
    found = np.stack([pieces.total(sums, span) for span in spans])
    for span, totals in zip(spans, found, strict=True):
        _make_sure(kernel, slice(*span), x, totals)
    return found * levels


@dataclass(frozen=True, slots=True, eq=False)
class _Tier:
    """Nodes for the lines of at least this deviation."""

    deviation: float
    nodes: Floats
    to_levels: Floats
    """Turns values at the nodes into values at the levels; shape (nodes, levels)."""


def _tiers(x: Floats) -> Iterator[_Tier]:
    middle, half = 0.5 * (x[0] + x[-1]), 0.5 * (x[-1] - x[0])
    factor, spare = _SPARE
    for count in NODES:
        nodes = np.cos(np.linspace(np.pi, 0.0, count))
        deviation = half * factor * np.sqrt(2.0 * _DIGITS * np.log(10.0)) / (count - spare)
        yield _Tier(deviation, middle + half * nodes, _barycentric(nodes, (x - middle) / half))


def _barycentric(nodes: Floats, points: Floats) -> Floats:
    """Interpolation from Chebyshev nodes of the second kind; shape (nodes, points)."""
    weight = np.where(np.arange(nodes.size) % 2, -1.0, 1.0)
    weight[[0, -1]] *= 0.5
    apart = points - nodes[:, None]
    apart[apart == 0.0] = _NO_DISTANCE
    share = weight[:, None] / apart
    share /= share.sum(axis=0)
    return share


def _piece(kernel: Kernel, rows: slice, x: Floats, tiers: tuple[_Tier, ...]) -> Floats:
    """Sums over some lines at every x under both weights; shape (2, levels)."""
    tier_of = np.searchsorted([-tier.deviation for tier in tiers], -kernel.deviation[rows])
    sharp = rows.start + np.flatnonzero(tier_of == len(tiers))
    sums = _line_by_line(kernel, sharp, x)
    for number, tier in enumerate(tiers):
        wide = rows.start + np.flatnonzero(tier_of == number)
        if wide.size:
            sums += _at_nodes(kernel, wide, tier.nodes) @ tier.to_levels
    return sums


def _line_by_line(kernel: Kernel, rows: Ints | slice, x: Floats) -> Floats:
    slope, offset, coefficient = kernel.slope[rows], kernel.offset[rows], kernel.coefficient[:, rows]
    sums = np.empty((2, x.size))
    for some in _blocks(x.size, slope.size):
        bells = np.multiply.outer(x[some], slope)
        bells += offset
        bells *= bells
        bells *= -0.5
        np.exp(bells, out=bells)
        sums[:, some] = coefficient @ bells.T
    return sums


def _at_nodes(kernel: Kernel, rows: Ints, x: Floats) -> Floats:
    """The same for lines that are not sharp: their exponents, multiplied out, lose no digits that count."""
    slope, offset, coefficient = kernel.slope[rows], kernel.offset[rows], kernel.coefficient[:, rows]
    square = np.stack((-0.5 * slope * slope, -slope * offset, -0.5 * offset * offset))
    powers = np.stack((x * x, x, np.ones_like(x)), axis=1)
    sums = np.empty((2, x.size))
    for some in _blocks(x.size, slope.size):
        bells = powers[some] @ square
        np.exp(bells, out=bells)
        sums[:, some] = coefficient @ bells.T
    return sums


def _blocks(levels: int, lines: int) -> Iterator[slice]:
    step = max(1, _BLOCK // max(lines, 1))
    return (slice(low, low + step) for low in range(0, levels, step))


def _make_sure(kernel: Kernel, rows: slice, x: Floats, totals: Floats) -> None:
    """Sum line by line where so little is left that the nodes' last digits could turn the sign."""
    coefficient = kernel.coefficient[:, rows]
    at_least_gross = np.sqrt(coefficient.shape[1] * np.vecdot(coefficient, coefficient))
    faint = np.flatnonzero((np.abs(totals) < _FAINT * at_least_gross[:, None]).any(axis=0))
    if faint.size:
        totals[:, faint] = _line_by_line(kernel, rows, x[faint])
