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
    """What a chain holds at an instant; valid until a quote changes or `cut.next_settle_s` comes."""

    cut: ScopeSlices
    priced: PricedLines
    has_volatility: dict[ScopeName, bool]
    quality: dict[ScopeName, ScopeFigures]
    listed: dict[ScopeName, NDArray[np.bool_]]
    """Per scope, which of the chain's strikes have a living line."""


def select(lines: Lines, clean: CleanIv, open_interest: Floats, volume: Floats, ratio: Floats, at: datetime) -> Selection:
    """Cut at an instant, keep what can be priced, count the rest. `ratio` is forward over spot per series."""
    cut = slice_scopes(lines, at)
    unpriced = ~np.isfinite(clean.iv)
    return Selection(
        cut=cut,
        priced=select_priced(lines, clean, open_interest, volume, ratio, cut),
        has_volatility={name: not bool(unpriced[cut.rows[name]].all()) for name in SCOPES},
        quality={
            name: _quality(lines, clean, unpriced, (open_interest, volume), ratio, cut, name) for name in SCOPES
        },
        listed={name: _listed(lines, cut.rows[name]) for name in SCOPES},
    )


def _quality(
    lines: Lines,
    clean: CleanIv,
    unpriced: NDArray[np.bool_],
    weights: tuple[Floats, Floats],
    ratio: Floats,
    cut: ScopeSlices,
    name: ScopeName,
) -> ScopeFigures:
    rows = cut.rows[name]
    bad = unpriced[rows]
    series = np.unique(lines.series[rows])
    share_oi, share_vol = (_share(weight[rows], bad) for weight in weights)
    return ScopeFigures(
        expiries=cut.expiries[name],
        contracts=rows.stop - rows.start,
        contracts_mirrored=int(np.count_nonzero(clean.mirrored[rows])),
        contracts_unpriced=int(np.count_nonzero(bad)),
        weight_unpriced_oi=share_oi,
        weight_unpriced_vol=share_vol,
        series=int(series.size),
        series_without_parity=int(np.count_nonzero(~np.isfinite(ratio[series]))),
    )


def _share(weight: Floats, bad: NDArray[np.bool_]) -> float:
    total = float(weight.sum())
    return float(weight[bad].sum()) / total if total > 0.0 else 0.0


def _listed(lines: Lines, rows: slice) -> NDArray[np.bool_]:
    listed = np.zeros(lines.strikes.size, np.bool_)
    listed[lines.strike_code[rows]] = True
    return listed
