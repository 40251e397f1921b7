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
        self.spans = tuple(dict.fromkeys(spans))
        edges = sorted({edge for low, high in self.spans if high > low for edge in (low, high)})
        self.cuts: NDArray[np.int64] = np.array(edges, np.int64)
        self._within = {
            (low, high): slice(edges.index(low), edges.index(high)) if high > low else slice(0, 0)
            for low, high in self.spans
        }

        count = max(self.cuts.size - 1, 0)
        self._holds: Floats = np.zeros((len(self.spans), count))
        """1 where a span holds a piece."""
        for number, span in enumerate(self.spans):
            self._holds[number, self._within[span]] = 1.0

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
        total: Floats = sums[..., self._within[span]].sum(axis=-1)
        return total

    def totals(self, sums: Floats) -> Floats:
        """The sums over all spans, in their order; the last axis is that of the pieces before, of the spans then."""
        totals: Floats = sums @ self._holds.T
        return totals

    def numbers(self) -> NDArray[np.int64]:
        """To which piece each line from `rows.start` to `rows.stop` belongs."""
        return np.repeat(np.arange(max(self.cuts.size - 1, 0)), np.diff(self.cuts))
