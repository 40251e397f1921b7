"""When to sweep for zeros and when to follow the known ones (`gex.md` §16)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.priced import Kernel, PricedLines
from streaming.gex.pricing import Floats
from streaming.gex.spans import Span
from streaming.gex.zero_gamma import (
    Roots,
    Total,
    find_roots,
    nearest_deviation,
    sample_totals,
    sweep_levels,
    track_roots,
)

SWEEP_EVERY_S: Final = 10.0
_SWEEP_AFTER_MOVE: Final = 0.002


@dataclass(frozen=True, slots=True)
class _Sweep:
    at_s: float
    spot: float
    epoch: object
    spans: frozenset[Span]


class RootBook:
    """The roots of every scope and weight, swept every 10 s and followed in between.

    A sweep is also due after a spot move of 0.2 %, when expiries or lines leave or join, and for a single span
    whose roots were lost. A root that appears between sweeps shows by the sign it leaves at spot, or at the next sweep.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Span, int], Roots] = {}
        self._last: _Sweep | None = None
        self.sweeps = 0
        self.lost = 0

    def update(
        self, lines: PricedLines, kernel: Kernel, at_s: float, epoch: object, at_spot: dict[Span, Floats]
    ) -> dict[tuple[Span, int], Roots]:
        """Roots per span and weight (0 open interest, 1 volume); `at_spot` holds both totals of a span at spot."""
        spans = tuple(at_spot)
        if self._is_due(at_s, kernel.anchor, epoch, spans):
            self._last = _Sweep(at_s, kernel.anchor, epoch, frozenset(spans))
            self._known = self._sweep(lines, kernel, spans)
        else:
            self._follow(lines, kernel, at_spot)
        return self._known

    def _is_due(self, at_s: float, spot: float, epoch: object, spans: tuple[Span, ...]) -> bool:
        last = self._last
        if last is None or last.epoch != epoch or not 0.0 <= at_s - last.at_s < SWEEP_EVERY_S:
            return True
        return last.spans != frozenset(spans) or abs(spot / last.spot - 1.0) > _SWEEP_AFTER_MOVE

    def _follow(self, lines: PricedLines, kernel: Kernel, at_spot: dict[Span, Floats]) -> None:
        followed: dict[tuple[Span, int], Roots] = {}
        lost: dict[Span, None] = {}
        for span, weight in self._known:
            total = Total(kernel, slice(*span), weight)
            found = track_roots(total, self._known[span, weight], kernel.anchor, float(at_spot[span][weight]))
            if found is None:
                lost[span] = None
            else:
                followed[span, weight] = found
        if lost:
            self.lost += 1
            followed |= self._sweep(lines, kernel, tuple(lost))
        self._known = followed

    def _sweep(self, lines: PricedLines, kernel: Kernel, spans: tuple[Span, ...]) -> dict[tuple[Span, int], Roots]:
        self.sweeps += 1
        return sweep_roots(lines, kernel, spans)


def sweep_roots(lines: PricedLines, kernel: Kernel, spans: tuple[Span, ...]) -> dict[tuple[Span, int], Roots]:
    """All roots of the spans under both weights, from a fresh grid."""
    levels = sweep_levels(kernel.anchor, nearest_deviation(kernel, _first_expiry(lines, spans)))
    samples = sample_totals(kernel, levels, spans)
    return {
        (span, weight): find_roots(Total(kernel, slice(*span), weight), levels, samples[number, weight])
        for number, span in enumerate(spans)
        for weight in (0, 1)
    }


def _first_expiry(lines: PricedLines, spans: tuple[Span, ...]) -> slice:
    """The lines of the nearest date that any of the spans holds: they need the finest step."""
    start = min((span[0] for span in spans if span[1] > span[0]), default=0)
    if start >= len(lines):
        return slice(0, 0)
    return slice(start, int(np.searchsorted(lines.date_code, lines.date_code[start], side="right")))
