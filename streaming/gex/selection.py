"""The lines that count at an instant, scope by scope, and how good their data is (`gex.md` §7, §10)."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from streaming.gex.lines import Lines
from streaming.gex.priced import PricedLines, select_priced
from streaming.gex.pricing import Floats
from streaming.gex.scopes import ScopeSlices, slice_scopes
from streaming.gex.volatility import CleanIv
from streaming.model import SCOPES, ScopeFigures, ScopeName


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a chain holds at an instant; valid until a quote changes or the cut no longer holds."""

    cut: ScopeSlices
    priced: PricedLines
    has_volatility: dict[ScopeName, bool]
    quality: dict[ScopeName, ScopeFigures]
    listed: dict[ScopeName, NDArray[np.bool_]]
    """Per scope, which of the chain's strikes have a living line."""


def select(lines: Lines, clean: CleanIv, weight: Floats, ratio: Floats, at: datetime) -> Selection:
    """Cut at an instant, keep what can be priced, count the rest.

    `weight` has shape (2, lines): open interest, volume; `ratio` is forward over spot per series.
    """
    cut = slice_scopes(lines, at)
    unpriced = ~np.isfinite(clean.iv)
    return Selection(
        cut=cut,
        priced=select_priced(lines, clean, weight, ratio, cut),
        has_volatility={name: not bool(unpriced[cut.rows[name]].all()) for name in SCOPES},
        quality={
            name: _quality(
                cut.expiries[name], cut.rows[name], clean, weight, ratio[np.unique(lines.series[cut.rows[name]])]
            )
            for name in SCOPES
        },
        listed={name: _listed(lines, cut.rows[name]) for name in SCOPES},
    )


def _quality(expiries: tuple[str, ...], rows: slice, clean: CleanIv, weight: Floats, ratio: Floats) -> ScopeFigures:
    bad = ~np.isfinite(clean.iv[rows])
    total = weight[:, rows].sum(axis=1)
    share = weight[:, rows][:, bad].sum(axis=1) / np.where(total > 0.0, total, 1.0)
    return ScopeFigures(
        expiries=expiries,
        contracts=rows.stop - rows.start,
        contracts_mirrored=int(np.count_nonzero(clean.mirrored[rows])),
        contracts_unpriced=int(np.count_nonzero(bad)),
        weight_unpriced_oi=float(share[0]),
        weight_unpriced_vol=float(share[1]),
        series=int(ratio.size),
        series_without_parity=int(np.count_nonzero(~np.isfinite(ratio))),
    )


def _listed(lines: Lines, rows: slice) -> NDArray[np.bool_]:
    listed = np.zeros(lines.strikes.size, np.bool_)
    listed[lines.strike_code[rows]] = True
    return listed
