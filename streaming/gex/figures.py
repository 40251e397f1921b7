"""A selection of lines at a spot and a quote time, turned into the published figures."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np

from streaming.calendar import new_york
from streaming.gex.exposure import FIGURES, GEX, LineExposures, line_exposures, side_ladder
from streaming.gex.levels import ladder_split, largest, smallest, within_window
from streaming.gex.lines import Lines
from streaming.gex.priced import PER_CENT, Kernel, build_kernel
from streaming.gex.pricing import Floats
from streaming.gex.risk_reversal import risk_reversal
from streaming.gex.roots import RootBook, Span, span_of
from streaming.gex.selection import Selection
from streaming.gex.zero_gamma import Roots
from streaming.model import SCOPES, ScopeFigures, ScopeName, WeightFigures

_RR_DAYS: Final = 30
_GROSS: Final = len(FIGURES)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Everything computed for one instant, keyed by span: scopes that hold the same lines share their figures.

    Weights are numbered 0 for open interest and 1 for volume.
    """

    lines: Lines
    selection: Selection
    spot: float
    kernel: Kernel
    exposures: LineExposures
    totals: dict[Span, Floats]
    """Shape (2, 7): the figures of `FIGURES` per weight, then gross GEX."""
    ladders: dict[tuple[Span, int], Floats]
    """Shape (2, strikes): puts, calls."""
    roots: dict[tuple[Span, int], Roots]

    def span(self, scope: ScopeName) -> Span:
        """The scope's first and last priced line."""
        return span_of(self.selection.priced.scopes[scope])

    def net_ladder(self, scope: ScopeName, weight: int) -> Floats:
        """Net dollars per 1 % at each strike of the chain."""
        puts, calls = self.ladders[self.span(scope), weight]
        net: Floats = puts + calls
        return net


def draw_picture(
    lines: Lines, selection: Selection, spot: float, *, asof: datetime, at_s: float, book: RootBook
) -> Picture:
    """Price every line at spot and find the roots; `spot` must be a positive number."""
    priced = selection.priced
    kernel = build_kernel(priced, spot, asof.timestamp())
    exposures = line_exposures(priced, kernel)
    spans = tuple(dict.fromkeys(span_of(priced.scopes[name]) for name in SCOPES))
    totals = {span: _totals(exposures, span) for span in spans}
    ladders = {
        (span, weight): side_ladder(priced, exposures.gex[weight], slice(*span), lines.strikes.size)
        for span in spans
        for weight in (0, 1)
    }
    roots = book.update(
        priced, kernel, at_s, selection.cut.expiries["all"], {span: total[:, 0] for span, total in totals.items()}
    )
    return Picture(lines, selection, spot, kernel, exposures, totals, ladders, roots)


def _totals(exposures: LineExposures, span: Span) -> Floats:
    part = exposures.usd[:, :, slice(*span)]
    return np.concatenate((part.sum(axis=2), np.abs(part[:, :1]).sum(axis=2)), axis=1)


def all_figures(picture: Picture, asof: datetime) -> dict[str, ScopeFigures]:
    """The figures of the four scopes; None throughout where none of a scope's lines has a volatility."""
    spans = {picture.span(name) for name in SCOPES}
    by_span = {(span, weight): _weight_figures(picture, span, weight) for span in spans for weight in (0, 1)}
    return {name: _scope_figures(picture, name, asof, by_span) for name in SCOPES}


def _scope_figures(
    picture: Picture, scope: ScopeName, asof: datetime, by_span: dict[tuple[Span, int], WeightFigures]
) -> ScopeFigures:
    quality = picture.selection.quality[scope]
    if not picture.selection.has_volatility[scope]:
        return quality
    span = picture.span(scope)
    expiry, reversal = _risk_reversal(picture, span, asof)
    return msgspec.structs.replace(
        quality,
        rr25=reversal,
        rr25_expiry=expiry,
        by_expiry=_by_expiry(picture) if scope == "all" else (),
        oi=by_span[span, 0],
        vol=by_span[span, 1],
    )


def _weight_figures(picture: Picture, span: Span, weight: int) -> WeightFigures:
    totals: list[float] = picture.totals[span][weight].tolist()
    net, gross = totals[0], totals[_GROSS]
    return WeightFigures(
        net_gex_usd_per_point=net / (PER_CENT * picture.spot),
        gross_gex_usd_per_1pct=gross,
        confidence=abs(net) / gross if gross > 0.0 else None,
        **_named(totals),
        **_ladder_levels(picture, span, weight),
        **_root_levels(picture.roots[span, weight], picture.spot),
    )


def _named(totals: list[float]) -> dict[str, Any]:
    return {("net_" + name if name == GEX else name): value for name, value in zip(FIGURES, totals, strict=False)}


def _ladder_levels(picture: Picture, span: Span, weight: int) -> dict[str, Any]:
    strikes, spot = picture.lines.strikes, picture.spot
    puts, calls = picture.ladders[span, weight]
    net = puts + calls
    window = within_window(strikes, spot)
    above = slice(int(np.searchsorted(strikes, spot, side="left")), None)
    below = slice(None, int(np.searchsorted(strikes, spot, side="right")))
    positive, negative = largest(strikes, net, spot), smallest(strikes, net, spot)
    return {
        "zero_gamma_ladder": ladder_split(strikes[window], net[window]),
        "major_pos": None if positive is None else positive[0],
        "major_pos_usd_per_1pct": None if positive is None else positive[1],
        "major_neg": None if negative is None else negative[0],
        "major_neg_usd_per_1pct": None if negative is None else negative[1],
        "call_wall_gross": _strike(largest(strikes, calls, spot)),
        "put_wall_gross": _strike(smallest(strikes, puts, spot)),
        "call_wall_above": _strike(largest(strikes[above], calls[above], spot)),
        "put_wall_below": _strike(smallest(strikes[below], puts[below], spot)),
    }


def _root_levels(roots: Roots, spot: float) -> dict[str, Any]:
    nearest = roots.nearest(spot)
    return {
        "zero_gamma": None if nearest is None else nearest.level,
        "zero_gamma_slope": None if nearest is None else nearest.slope,
        "zero_gamma_roots": tuple(root.level for root in roots.roots),
        "zero_gamma_directions": tuple(root.direction for root in roots.roots),
        "zero_gamma_note": roots.note,
    }


def _strike(level: tuple[float, float] | None) -> float | None:
    return None if level is None else level[0]


def _by_expiry(picture: Picture) -> tuple[tuple[str, float, float], ...]:
    codes = picture.selection.priced.date_code
    living = picture.selection.cut.expiries["all"]
    first = picture.lines.dates.size - len(living)
    oi, vol = (np.bincount(codes, weights=row, minlength=picture.lines.dates.size) for row in picture.exposures.gex)
    return tuple(zip(living, vol[first:].tolist(), oi[first:].tolist(), strict=True))


def _risk_reversal(picture: Picture, span: Span, asof: datetime) -> tuple[str | None, float | None]:
    """The risk reversal of the scope's expiry nearest to 30 days, with its date."""
    priced = picture.selection.priced
    if span[1] <= span[0]:
        return None, None
    low, high = priced.date_code[[span[0], span[1] - 1]].tolist()
    dates = picture.lines.dates[low : high + 1]
    days = (dates - np.datetime64(new_york(asof).date(), "D")).astype(np.int64)
    code = low + int(np.abs(days - _RR_DAYS).argmin())
    return str(picture.lines.dates[code]), _reversal_of(picture, code)


def _reversal_of(picture: Picture, date_code: int) -> float | None:
    """Of the last root to settle that day: a third Friday's PM contracts."""
    priced, delta = picture.selection.priced, picture.exposures.delta
    end = int(np.searchsorted(priced.date_code, date_code, side="right"))
    if end == 0 or priced.date_code[end - 1] != date_code:
        return None
    rows = np.arange(np.searchsorted(priced.series, priced.series[end - 1]), end)
    is_call, strike = priced.is_call[rows], priced.strike[rows]
    calls = rows[is_call & (strike >= picture.spot)]
    puts = rows[~is_call & (strike <= picture.spot)][::-1]
    return risk_reversal(delta[calls], priced.iv[calls], delta[puts], priced.iv[puts])
