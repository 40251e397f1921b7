"""A selection of lines at a spot and a quote time, turned into the published figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
import numpy as np

from streaming.calendar import new_york
from streaming.gex.exposure import LineExposures, line_exposures, side_ladder
from streaming.gex.levels import ladder_split, largest, smallest, within_window
from streaming.gex.lines import Lines
from streaming.gex.priced import PER_CENT, Kernel, build_kernel
from streaming.gex.pricing import Floats
from streaming.gex.risk_reversal import risk_reversal
from streaming.gex.roots import RootBook
from streaming.gex.selection import Selection
from streaming.gex.zero_gamma import Roots
from streaming.model import SCOPES, ScopeFigures, ScopeName, WeightFigures

_RR_DAYS: Final = 30
_PUTS, _CALLS = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Everything computed for one instant; ladders have shape (2, strikes), puts first."""

    lines: Lines
    selection: Selection
    spot: float
    kernel: Kernel
    exposures: LineExposures
    ladders: dict[tuple[ScopeName, int], Floats]
    roots: dict[tuple[ScopeName, int], Roots]

    def net_ladder(self, scope: ScopeName, weight: int) -> Floats:
        """Net dollars per 1 % by strike of the chain (0 open interest, 1 volume)."""
        ladder = self.ladders[scope, weight]
        net: Floats = ladder[_PUTS] + ladder[_CALLS]
        return net


def draw_picture(lines: Lines, selection: Selection, spot: float, asof: datetime, book: RootBook, at_s: float) -> Picture:
    """Price every line at spot and find the roots; `spot` must be a positive number."""
    priced = selection.priced
    kernel = build_kernel(priced, spot, asof.timestamp())
    exposures = line_exposures(priced, kernel)
    totals = np.array([exposures.gex_usd_per_1pct[:, priced.scopes[name]].sum(axis=1) for name in SCOPES])
    ladders = {
        (name, weight): side_ladder(priced, exposures.gex_usd_per_1pct[weight], priced.scopes[name], lines.strikes.size)
        for name in SCOPES
        for weight in (0, 1)
    }
    roots = book.update(priced, kernel, at_s, selection.cut.expiries["all"], totals)
    return Picture(lines, selection, spot, kernel, exposures, ladders, roots)


def scope_figures(picture: Picture, scope: ScopeName, asof: datetime) -> ScopeFigures:
    """All figures of a scope; None throughout when none of its lines has a volatility."""
    quality = picture.selection.quality[scope]
    if not picture.selection.has_volatility[scope]:
        return quality
    expiry, reversal = _risk_reversal(picture, scope, asof)
    return msgspec.structs.replace(
        quality,
        rr25=reversal,
        rr25_expiry=expiry,
        by_expiry=_by_expiry(picture) if scope == "all" else (),
        oi=_weight_figures(picture, scope, 0),
        vol=_weight_figures(picture, scope, 1),
    )


def _weight_figures(picture: Picture, scope: ScopeName, weight: int) -> WeightFigures:
    rows = picture.selection.priced.scopes[scope]
    exposures = picture.exposures
    gex = exposures.gex_usd_per_1pct[weight, rows]
    net, gross = float(gex.sum()), float(np.abs(gex).sum())
    return msgspec.structs.replace(
        _levels(picture, scope, weight),
        net_gex_usd_per_1pct=net,
        net_gex_usd_per_point=net / (PER_CENT * picture.spot),
        gross_gex_usd_per_1pct=gross,
        confidence=abs(net) / gross if gross > 0.0 else None,
        vex_usd_per_vol_point=float(exposures.vex_usd_per_vol_point[weight, rows].sum()),
        chex_usd_per_day=float(exposures.chex_usd_per_day[weight, rows].sum()),
        dex_usd=float(exposures.dex_usd[weight, rows].sum()),
        dex_dealer_usd=float(exposures.dex_dealer_usd[weight, rows].sum()),
        hedge_usd_per_1pct=float(exposures.hedge_usd_per_1pct[weight, rows].sum()),
    )


def _levels(picture: Picture, scope: ScopeName, weight: int) -> WeightFigures:
    strikes, spot = picture.lines.strikes, picture.spot
    puts, calls = picture.ladders[scope, weight]
    net = picture.net_ladder(scope, weight)
    window = within_window(strikes, spot)
    positive, negative = largest(strikes, net, spot), smallest(strikes, net, spot)
    roots = picture.roots[scope, weight]
    nearest = roots.nearest(spot)
    above, below = strikes >= spot, strikes <= spot
    return WeightFigures(
        zero_gamma=None if nearest is None else nearest.level,
        zero_gamma_roots=tuple(root.level for root in roots.roots),
        zero_gamma_directions=tuple(root.direction for root in roots.roots),
        zero_gamma_note=roots.note,
        zero_gamma_slope=None if nearest is None else nearest.slope,
        zero_gamma_ladder=ladder_split(strikes[window], net[window]),
        major_pos=_strike(positive),
        major_pos_usd_per_1pct=_value(positive),
        major_neg=_strike(negative),
        major_neg_usd_per_1pct=_value(negative),
        call_wall_gross=_strike(largest(strikes, calls, spot)),
        put_wall_gross=_strike(smallest(strikes, puts, spot)),
        call_wall_above=_strike(largest(strikes[above], calls[above], spot)),
        put_wall_below=_strike(smallest(strikes[below], puts[below], spot)),
    )


def _strike(level: tuple[float, float] | None) -> float | None:
    return None if level is None else level[0]


def _value(level: tuple[float, float] | None) -> float | None:
    return None if level is None else level[1]


def _by_expiry(picture: Picture) -> tuple[tuple[str, float, float], ...]:
    priced = picture.selection.priced
    size = picture.lines.dates.size
    oi, vol = (np.bincount(priced.date_code, weights=row, minlength=size) for row in picture.exposures.gex_usd_per_1pct)
    living = picture.selection.cut.expiries["all"]
    first = size - len(living)
    return tuple(zip(living, vol[first:].tolist(), oi[first:].tolist(), strict=True))


def _risk_reversal(picture: Picture, scope: ScopeName, asof: datetime) -> tuple[str | None, float | None]:
    """The risk reversal of the scope's expiry nearest to 30 days, with its date."""
    priced = picture.selection.priced
    rows = priced.scopes[scope]
    if rows.stop <= rows.start:
        return None, None
    today = np.datetime64(new_york(asof).date(), "D")
    days = (picture.lines.dates - today).astype(np.int64)[priced.date_code[rows]]
    at = rows.start + int(np.abs(days - _RR_DAYS).argmin())
    same = np.flatnonzero(priced.series[rows] == priced.series[at]) + rows.start
    return str(picture.lines.dates[priced.date_code[at]]), _reversal_of(picture, same)


def _reversal_of(picture: Picture, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float | None:
    priced, delta = picture.selection.priced, picture.exposures.delta
    is_call, strike = priced.is_call[rows], priced.strike[rows]
    calls = rows[is_call & (strike >= picture.spot)]
    puts = rows[~is_call & (strike <= picture.spot)][::-1]
    return risk_reversal(delta[calls], priced.iv[calls], delta[puts], priced.iv[puts])


_LEVEL_FIELDS: Final = (
    "zero_gamma", "zero_gamma_ladder", "major_pos", "major_neg",
    "call_wall_gross", "put_wall_gross", "call_wall_above", "put_wall_below",
)  # fmt: skip


def shift_levels(figures: ScopeFigures, points: float | None) -> ScopeFigures:
    """The same figures with every level moved by the basis; without a basis the levels are unknown."""
    return msgspec.structs.replace(figures, oi=_shift(figures.oi, points), vol=_shift(figures.vol, points))


def _shift(figures: WeightFigures, points: float | None) -> WeightFigures:
    roots = () if points is None else tuple(level + points for level in figures.zero_gamma_roots)
    return msgspec.structs.replace(
        figures,
        zero_gamma_roots=roots,
        zero_gamma_directions=() if points is None else figures.zero_gamma_directions,
        **{name: shift(getattr(figures, name), points) for name in _LEVEL_FIELDS},
    )


def shift(level: float | None, points: float | None) -> float | None:
    """A level moved by a basis; None when either is unknown."""
    return None if level is None or points is None else level + points
