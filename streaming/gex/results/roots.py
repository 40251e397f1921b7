"""When to sweep for zeros and when to follow the known ones (`specs/gex-method.md` §16)."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from streaming.gex.pricing.priced import Kernel, PricedStrikes
from streaming.gex.pricing.spans import Span
from streaming.gex.results.levels import profile_points
from streaming.gex.results.sampling import sample_totals
from streaming.gex.results.zero_gamma import (
    Roots,
    Total,
    find_roots,
    nearest_deviation,
    sweep_levels,
    track_roots,
)
from streaming.model import ProfilePoint

SWEEP_EVERY_S: Final = 10.0
AGING_S: Final = 5.0
_SWEEP_AFTER_MOVE: Final = 0.002


Profile = tuple[ProfilePoint, ...]
Swept = tuple[dict[tuple[Span, int], Roots], dict[Span, Profile]]


@dataclass(frozen=True, slots=True)
class _Sweep:
    at_s: float
    spot: float
    epoch: object


class RootBook:
    """The roots of every scope and weight, swept every 10 s and followed in between.

    A sweep is also due after a spot move of 0.2 %, when expiries leave or join, and for a single span whose roots were
    lost. Whoever has time to spare may sweep from 5 s on, so that nobody has to wait for it (`refresh`). A root that
    appears between sweeps shows by the sign it leaves at spot, or at the next sweep. `profiles`, the totals within 10 %
    of spot, are those of the last sweep of each span, at most 10 s old.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Span, int], Roots] = {}
        self._last: _Sweep | None = None
        self._spans: tuple[Span, ...] = ()
        self.profiles: dict[Span, Profile] = {}
        self.sweeps = 0
        self.lost = 0

    def update(
        self, priced: PricedStrikes, kernel: Kernel, at_s: float, epoch: object, at_spot: dict[Span, list[float]]
    ) -> dict[tuple[Span, int], Roots]:
        """Roots per span and weight (0 open interest, 1 volume); `at_spot` holds both totals of a span at spot."""
        spans = tuple(at_spot)
        if self._is_due(at_s, kernel.anchor, epoch) or len(spans) != len(self._spans):
            self._sweep_all(priced, kernel, at_s, epoch, spans)
        else:
            self._carry_over(spans)
            self._follow(priced, kernel, at_spot)
        return self._known

    def is_aging(self, at_s: float) -> bool:
        """Whether the last sweep is 5 s old or older; False before the first."""
        return self._last is not None and at_s - self._last.at_s >= AGING_S

    def refresh(self, priced: PricedStrikes, kernel: Kernel, at_s: float) -> None:
        """Sweep ahead of time, with the strikes and the kernel of the last `update`."""
        if self._last is not None:
            self._sweep_all(priced, kernel, at_s, self._last.epoch, self._spans)

    def _sweep_all(
        self, priced: PricedStrikes, kernel: Kernel, at_s: float, epoch: object, spans: tuple[Span, ...]
    ) -> None:
        self._last, self._spans = _Sweep(at_s, kernel.anchor, epoch), spans
        self._known, self.profiles = self._sweep(priced, kernel, spans)

    def _is_due(self, at_s: float, spot: float, epoch: object) -> bool:
        last = self._last
        if last is None or last.epoch != epoch or not 0.0 <= at_s - last.at_s < SWEEP_EVERY_S:
            return True
        return abs(spot / last.spot - 1.0) > _SWEEP_AFTER_MOVE

    def _carry_over(self, spans: tuple[Span, ...]) -> None:
        """A few lines more or less do not make other roots: what was known of a span is a start for its successor."""
        if spans != self._spans:
            heirs = dict(zip(self._spans, spans, strict=True))
            self._known = {(heirs[span], weight): roots for (span, weight), roots in self._known.items()}
            self.profiles = {heirs[span]: profile for span, profile in self.profiles.items()}
            self._spans = spans

    def _follow(self, priced: PricedStrikes, kernel: Kernel, at_spot: dict[Span, list[float]]) -> None:
        followed: dict[tuple[Span, int], Roots] = {}
        lost: dict[Span, None] = {}
        for span, weight in self._known:
            total = Total(kernel, slice(*span), weight)
            found = track_roots(total, self._known[span, weight], kernel.anchor, at_spot[span][weight])
            if found is None:
                lost[span] = None
            else:
                followed[span, weight] = found
        if lost:
            self.lost += 1
            roots, profiles = self._sweep(priced, kernel, tuple(lost))
            followed |= roots
            self.profiles = self.profiles | profiles
        self._known = followed

    def _sweep(self, priced: PricedStrikes, kernel: Kernel, spans: tuple[Span, ...]) -> Swept:
        self.sweeps += 1
        return sweep(priced, kernel, spans)


def sweep(priced: PricedStrikes, kernel: Kernel, spans: tuple[Span, ...]) -> Swept:
    """All roots of the spans under both weights, and the fresh grid they were found on as profiles."""
    levels = sweep_levels(kernel.anchor, nearest_deviation(kernel, _first_expiry(priced, spans)))
    samples = sample_totals(kernel, levels, spans)
    roots = {
        (span, weight): find_roots(Total(kernel, slice(*span), weight), levels, samples[number, weight])
        for number, span in enumerate(spans)
        for weight in (0, 1)
    }
    return roots, {span: profile_points(levels, samples[number], kernel.anchor) for number, span in enumerate(spans)}


def _first_expiry(priced: PricedStrikes, spans: tuple[Span, ...]) -> slice:
    """The strikes of the nearest date that any of the spans holds: they need the finest step."""
    start = min((span[0] for span in spans if span[1] > span[0]), default=0)
    if start >= len(priced):
        return slice(0, 0)
    return slice(start, int(np.searchsorted(priced.date_code, priced.date_code[start], side="right")))
