"""How good a scope's data is: shares of the weight by what it is priced with, and why some is left out.

See `specs/gex-method.md` §7.
"""

from typing import Final

import numpy as np
from msgspec.structs import replace

from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.forward import Evidence
from streaming.gex.pricing.lines import Lines
from streaming.gex.pricing.scopes import ScopeSlices
from streaming.gex.pricing.spans import Pieces, span_of
from streaming.gex.pricing.volatility import FAULTS, OUTCOMES, CleanIv
from streaming.model import SCOPES, IvFault, ScopeFigures, ScopeName

_KINDS: Final = len(FAULTS) * len(OUTCOMES)
_MIRRORED: Final = OUTCOMES.index("mirrored")


def qualities(
    lines: Lines,
    clean: CleanIv,
    weight: Floats,
    ratio: Floats,
    cut: ScopeSlices,
    *,
    evidence: Evidence | None = None,
    shares: "Shares | None" = None,
) -> dict[ScopeName, ScopeFigures]:
    """The quality figures of every scope; `weight` has shape (2, lines), `ratio` is NaN per series without parity.

    `shares` may be those of the lines before, to be reused as far as they are the same.
    """
    shares = shares or Shares()
    sums, pieces = shares.of(clean, weight, cut), shares.pieces
    found: dict[ScopeName, ScopeFigures] = {}
    for name in SCOPES:
        rows = cut.rows[name]
        counted = _count(clean, weight, rows)
        totals = pieces.total(sums, span_of(rows))
        quality = _quality(cut.expiries[name], rows, counted, totals, ratio[_series_of(lines, rows)])
        found[name] = quality if evidence is None else _with_evidence(quality, evidence, rows, _series_of(lines, rows))
    return found


def _count(clean: CleanIv, weight: Floats, rows: slice) -> Floats:
    """Contracts, open interest and volume by fault and outcome; shape (3, faults, outcomes)."""
    low, high = np.searchsorted(clean.bad, (rows.start, rows.stop)).tolist()
    bad, code = clean.bad[low:high], clean.code[low:high]
    counted: Floats = np.empty((3, _KINDS))
    counted[0] = np.bincount(code, minlength=_KINDS)
    for place in (0, 1):
        counted[1 + place] = np.bincount(code, weight[place, bad], _KINDS)
    return counted.reshape(3, len(FAULTS), len(OUTCOMES))


class Shares:
    """All contracts, those priced from quotes and those whose sides are apart: one each, open interest, volume.

    What is made of the same arrays as last time is that of last time.
    """

    def __init__(self) -> None:
        self.pieces = Pieces(())
        self._of: tuple[object, ...] = (None,) * 4
        self._amounts: Floats = np.zeros((3, 0))
        self._sums: Floats = np.zeros((3, 3, 0))

    def of(self, clean: CleanIv, weight: Floats, cut: ScopeSlices) -> Floats:
        """Shape (3, 3, pieces)."""
        of, self._of = self._of, (weight, cut, clean.quoted, clean.apart)
        is_other = weight is not of[0] or cut is not of[1]
        if is_other:
            self.pieces = Pieces(span_of(cut.rows[name]) for name in SCOPES)
            self._amounts = np.ones((3, weight[:, self.pieces.rows].shape[1]))
            self._amounts[1:] = weight[:, self.pieces.rows]
            self._sums = np.empty((3, 3, max(self.pieces.cuts.size - 1, 0)))
            self._sums[0] = self.pieces.sums(self._amounts)
        for place, (mark, last) in enumerate(((clean.quoted, of[2]), (clean.apart, of[3])), start=1):
            if is_other or mark is not last:
                marks = mark[self.pieces.rows].astype(np.float64)
                self._sums[place] = self.pieces.products(marks[None], self._amounts)[0]
        return self._sums


def _quality(expiries: tuple[str, ...], rows: slice, counted: Floats, totals: Floats, ratio: Floats) -> ScopeFigures:
    mirrored = counted[:, :, _MIRRORED].sum(axis=1)
    unpriced = counted.sum(axis=(1, 2)) - mirrored
    (_, oi, vol), quoted, apart = totals.tolist()
    return ScopeFigures(
        expiries=expiries,
        contracts=rows.stop - rows.start,
        contracts_quoted=int(quoted[0]),
        contracts_mirrored=int(mirrored[0]),
        contracts_unpriced=int(unpriced[0]),
        weight_unpriced_oi=_share(unpriced[1], oi) or 0.0,
        weight_unpriced_vol=_share(unpriced[2], vol) or 0.0,
        weight_mirrored_oi=_share(mirrored[1], oi),
        weight_mirrored_vol=_share(mirrored[2], vol),
        weight_priced_oi=_share(oi - mirrored[1] - unpriced[1], oi),
        weight_priced_vol=_share(vol - mirrored[2] - unpriced[2], vol),
        weight_quoted_oi=_share(quoted[1], oi),
        weight_quoted_vol=_share(quoted[2], vol),
        weight_apart_oi=_share(apart[1], oi),
        weight_apart_vol=_share(apart[2], vol),
        iv_faults=_faults(counted, oi, vol),
        series=int(ratio.size),
        series_without_parity=int(np.count_nonzero(np.isnan(ratio))),
    )


def _faults(counted: Floats, oi: float, vol: float) -> tuple[IvFault, ...]:
    found = [
        IvFault(
            fault=FAULTS[fault],
            outcome=OUTCOMES[outcome],
            contracts=int(counted[0, fault, outcome]),
            weight_oi=_share(counted[1, fault, outcome], oi),
            weight_vol=_share(counted[2, fault, outcome], vol),
        )
        for fault, outcome in np.argwhere(counted[0] > 0.0).tolist()
    ]
    return tuple(sorted(found, key=lambda item: -item.contracts))


def _share(part: float | np.float64, whole: float) -> float | None:
    """A fraction of 0 to 1, None of nothing; what is left after subtractions may fall a rounding short of 0."""
    return min(max(float(part) / whole, 0.0), 1.0) if whole > 0.0 else None


def _series_of(lines: Lines, rows: slice) -> slice:
    """The series that have lines in a slice."""
    if rows.stop <= rows.start:
        return slice(0, 0)
    return slice(int(lines.series[rows.start]), int(lines.series[rows.stop - 1]) + 1)


def _with_evidence(quality: ScopeFigures, evidence: Evidence, rows: slice, series: slice) -> ScopeFigures:
    return replace(
        quality,
        series_by_neighbours=int(np.count_nonzero(evidence.by_neighbours[series])),
        pairs_too_wide=int(np.count_nonzero(evidence.too_wide[rows])),
    )
