"""When to sweep for zeros and when to follow the known ones (`gex.md` §16)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.priced import Kernel, PricedLines
from streaming.gex.pricing import Floats
from streaming.gex.zero_gamma import (
    Roots,
    Total,
    find_roots,
    nearest_deviation,
    sample_totals,
    sweep_levels,
    track_roots,
)
from streaming.model import SCOPES, ScopeName

SWEEP_EVERY_S: Final = 10.0
_SWEEP_AFTER_MOVE: Final = 0.002
Span = tuple[int, int]
Key = tuple[Span, int]
"""A slice of priced lines and a weight (0 open interest, 1 volume): scopes with equal lines share their roots."""


@dataclass(slots=True)
class _Sweep:
    at_s: float
    spot: float
    epoch: object


class RootBook:
    """The roots of every scope and weight, swept every 10 s and followed in between.

    A sweep is also due after a spot move of 0.2 %, when expiries leave or join, and for a single total whose
    roots were lost. New roots that appear between sweeps are seen by the sign they leave at spot, or at the next sweep.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[ScopeName, int], Roots] = {}
        self._last: _Sweep | None = None
        self.sweeps = 0
        self.lost = 0

    def update(
        self, lines: PricedLines, kernel: Kernel, at_s: float, epoch: object, at_spot: Floats
    ) -> dict[tuple[ScopeName, int], Roots]:
        """Roots per scope and weight; `at_spot` holds each total at spot, shape (scopes, 2)."""
        due = self._is_due(at_s, kernel.anchor, epoch)
        if due:
            self._last = _Sweep(at_s, kernel.anchor, epoch)
            self._known = self._sweep(lines, kernel, SCOPES)
        else:
            self._follow(lines, kernel, at_spot)
        return self._known

    def _is_due(self, at_s: float, spot: float, epoch: object) -> bool:
        last = self._last
        if last is None or last.epoch != epoch or not 0.0 <= at_s - last.at_s < SWEEP_EVERY_S:
            return True
        return abs(spot / last.spot - 1.0) > _SWEEP_AFTER_MOVE

    def _follow(self, lines: PricedLines, kernel: Kernel, at_spot: Floats) -> None:
        done: dict[Key, Roots | None] = {}
        lost: list[ScopeName] = []
        for number, scope in enumerate(SCOPES):
            for weight in (0, 1):
                key = _key(lines.scopes[scope], weight)
                if key not in done:
                    total = Total(kernel, lines.scopes[scope], weight)
                    value = float(at_spot[number, weight])
                    done[key] = track_roots(total, self._known[scope, weight], kernel.anchor, value)
                found = done[key]
                if found is None:
                    lost.append(scope)
                else:
                    self._known[scope, weight] = found
        if lost:
            self.lost += 1
            self._known |= self._sweep(lines, kernel, tuple(dict.fromkeys(lost)))

    def _sweep(
        self, lines: PricedLines, kernel: Kernel, scopes: tuple[ScopeName, ...]
    ) -> dict[tuple[ScopeName, int], Roots]:
        self.sweeps += 1
        return sweep_roots(lines, kernel, scopes)


def sweep_roots(
    lines: PricedLines, kernel: Kernel, scopes: tuple[ScopeName, ...] = SCOPES
) -> dict[tuple[ScopeName, int], Roots]:
    """All roots of the named scopes under both weights, from a fresh grid."""
    levels = sweep_levels(kernel.anchor, nearest_deviation(kernel, _nearest(lines, scopes)))
    spans = tuple(dict.fromkeys((lines.scopes[scope].start, lines.scopes[scope].stop) for scope in scopes))
    end = max(stop for _, stop in spans)
    samples = sample_totals(_head(kernel, end), levels, tuple(slice(*span) for span in spans))
    found = {
        (span, weight): find_roots(Total(kernel, slice(*span), weight), levels, samples[number, weight])
        for number, span in enumerate(spans)
        for weight in (0, 1)
    }
    return {(scope, weight): found[_key(lines.scopes[scope], weight)] for scope in scopes for weight in (0, 1)}


def _key(rows: slice, weight: int) -> Key:
    return (rows.start, rows.stop), weight


def _nearest(lines: PricedLines, scopes: tuple[ScopeName, ...]) -> slice:
    """The lines whose shape decides the step: those of the first expiry any of the scopes holds."""
    first = min((lines.scopes[scope] for scope in scopes), key=lambda rows: rows.start)
    nearest = lines.scopes["zero"] if first.start == lines.scopes["zero"].start else lines.scopes["one"]
    return nearest if nearest.stop > nearest.start else first


def _head(kernel: Kernel, end: int) -> Kernel:
    if end == kernel.slope.size:
        return kernel
    return Kernel(
        anchor=kernel.anchor,
        slope=kernel.slope[:end],
        offset=kernel.offset[:end],
        coefficient=np.ascontiguousarray(kernel.coefficient[:, :end]),
        years=kernel.years[:end],
    )
