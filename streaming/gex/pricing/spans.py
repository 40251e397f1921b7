"""Sums over slices of lines that overlap: each line is added once, in the piece it belongs to."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from streaming.gex.pricing.formulas import Floats

Span = tuple[int, int]
"""First line and the one after the last; scopes that hold the same lines share a span."""


def span_of(rows: slice) -> Span:
    """A slice as a key."""
    return rows.start, rows.stop


class Pieces:
    """The pieces that spans cut the lines into."""

    def __init__(self, spans: Iterable[Span]) -> None:
        edges = {edge for low, high in spans if high > low for edge in (low, high)}
        self.cuts: NDArray[np.int64] = np.array(sorted(edges), np.int64)

    @property
    def rows(self) -> slice:
        """From the first line of any span to the last."""
        return slice(int(self.cuts[0]), int(self.cuts[-1])) if self.cuts.size else slice(0, 0)

    def sums(self, values: Floats) -> Floats:
        """Sums per piece over the last axis of values that begin at `rows.start` and end at `rows.stop`."""
        if self.cuts.size == 0:
            return np.zeros((*values.shape[:-1], 0))
        return np.add.reduceat(values, self.cuts[:-1] - self.cuts[0], axis=-1)

    def products(self, left: Floats, right: Floats) -> Floats:
        """Sums per piece of every row of `left` times every row of `right`; shape (left, right, pieces).

        Both begin and end as in `sums`. Nothing of their size is made, so the processor's cache stays warm.
        """
        edges = (self.cuts - self.rows.start).tolist()
        found = np.zeros((len(left), len(right), max(len(edges) - 1, 0)))
        for number, (low, high) in enumerate(pairwise(edges)):
            found[:, :, number] = left[:, low:high] @ right[:, low:high].T
        return found

    def total(self, sums: Floats, span: Span) -> Floats:
        """The sum over one of the spans; 0 for an empty one."""
        low, high = np.searchsorted(self.cuts, span).tolist() if span[1] > span[0] else (0, 0)
        total: Floats = sums[..., low:high].sum(axis=-1)
        return total
