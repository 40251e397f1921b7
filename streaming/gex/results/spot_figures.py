"""A selection of lines at a spot and a quote time, turned into the published figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.calendar import new_york, session_until_close
from streaming.gex.pricing.formulas import YEAR_S, Floats, years_to_expiry
from streaming.gex.pricing.lines import Ints, Lines
from streaming.gex.pricing.priced import PER_CENT, Kernel, build_kernel
from streaming.gex.pricing.selection import Selection, wings_of
from streaming.gex.pricing.spans import Span, span_of
from streaming.gex.results.exposure import (
    GAMMA,
    OTHERS,
    exposures_at_spot,
    hedges_usd_per_1pct,
    side_ladders,
    total_exposures,
)
from streaming.gex.results.levels import (
    WALLS,
    Concentration,
    Level,
    concentrations,
    ladder_rows,
    ladder_splits,
    side_rows,
    walls,
    within_window,
)
from streaming.gex.results.roots import Profile, RootBook
from streaming.gex.results.zero_gamma import Roots
from streaming.model import SCOPES, LadderRow, ScopeFigures, ScopeName, SideRow, WeightFigures

_RR_DAYS: Final = 30
_DAY: Final = 86_400.0 / YEAR_S


@dataclass(frozen=True, slots=True, eq=False)
class SpotFigures:
    """Everything computed for one instant, keyed by span: scopes that hold the same lines share their figures.

    Weights are numbered 0 for open interest and 1 for volume.
    """

    lines: Lines
    selection: Selection
    spot: float
    at_s: float
    """The instant that decides what has settled, epoch seconds."""
    kernel: Kernel
    gamma: Floats
    """Of one contract at each priced strike, $ per 1 %."""
    totals: Floats
    """Shape (7, 2, spans): net and gross GEX, then the figures of `OTHERS`."""
    ladders: Floats
    """Shape (spans, 2, 2, strikes): by weight puts, calls."""
    nets: Floats
    """The sums of both sides, shape (spans, 2, strikes)."""
    roots: dict[tuple[Span, int], Roots]
    profiles: dict[Span, Profile]
    window: slice
    """The strikes within 3.5 % of spot."""

    def span(self, scope: ScopeName) -> Span:
        """The scope's first and last priced line."""
        return span_of(self.selection.priced.scopes[scope])

    def net_ladders(self, scope: ScopeName) -> Floats:
        """Net dollars per 1 % at each strike of the chain, shape (2, strikes): by open interest, by volume."""
        nets: Floats = self.nets[self._number(scope)]
        return nets

    def _number(self, scope: ScopeName) -> int:
        """Which of the spans it is."""
        return self.selection.priced.pieces.spans.index(self.span(scope))

    def shown(self, scope: ScopeName) -> NDArray[np.intp]:
        """The strikes of the window that the scope lists."""
        shown: NDArray[np.intp] = self.window.start + self.selection.cut.listed[scope][self.window].nonzero()[0]
        return shown

    def sides(self, scope: ScopeName, shown: NDArray[np.intp]) -> tuple[SideRow, ...]:
        """Calls and puts apart at some strikes of the chain, in whole dollars per 1 %."""
        return side_rows(self.lines.strikes, shown, self.ladders[self._number(scope)])


def figures_at_spot(
    lines: Lines, selection: Selection, spot: float, *, asof: datetime, at_s: float, book: RootBook
) -> SpotFigures:
    """Price every line at spot and find the roots; `spot` must be a positive number."""
    priced = selection.priced
    kernel = build_kernel(priced, spot, asof.timestamp())
    each = exposures_at_spot(priced, kernel, session_until_close(asof).close_at.timestamp())
    totals = total_exposures(priced, each)
    ladders = side_ladders(priced, each[GAMMA], lines.strikes.size)
    at_spot = dict(zip(priced.pieces.spans, totals[0].T.tolist(), strict=True))
    return SpotFigures(
        lines=lines,
        selection=selection,
        spot=spot,
        at_s=at_s,
        kernel=kernel,
        gamma=each[GAMMA],
        totals=totals,
        ladders=ladders,
        nets=ladders.sum(axis=2),
        roots=book.update(priced, kernel, at_s, selection.cut.expiries["all"], at_spot),
        profiles=book.profiles,
        window=within_window(lines.strikes, spot),
    )


def all_figures(spot_figures: SpotFigures, asof: datetime) -> dict[str, ScopeFigures]:
    """The figures of the four scopes; None throughout where none of a scope's lines has a volatility."""
    by_span = _weighted(spot_figures)
    reversals = _risk_reversals(spot_figures, asof)
    return {name: _scope_figures(spot_figures, name, by_span, reversals) for name in SCOPES}


def _scope_figures(
    spot_figures: SpotFigures,
    scope: ScopeName,
    by_span: dict[tuple[Span, int], WeightFigures],
    reversals: dict[ScopeName, tuple[str | None, float | None]],
) -> ScopeFigures:
    quality = spot_figures.selection.quality[scope]
    if not spot_figures.selection.is_priced(scope):
        return quality
    span = spot_figures.span(scope)
    expiry, reversal = reversals[scope]
    oi, vol = _hedged(spot_figures, scope, (by_span[span, 0], by_span[span, 1]))
    return msgspec.structs.replace(
        quality,
        rr25=reversal,
        rr25_expiry=expiry,
        by_expiry=_by_expiry(spot_figures) if scope == "all" else (),
        ladder=_ladder(spot_figures, scope),
        sides=_sides(spot_figures, scope),
        profile=spot_figures.profiles[span],
        oi=WeightFigures() if _is_unsent(quality) else oi,
        vol=vol,
    )


def _is_unsent(quality: ScopeFigures) -> bool:
    """Whether a scope has no open interest at all: then it was not sent, and figures by it are unknown, not 0."""
    return quality.weight_priced_oi is None


def _ladder(spot_figures: SpotFigures, scope: ScopeName) -> tuple[LadderRow, ...]:
    listed = spot_figures.selection.cut.listed[scope]
    return ladder_rows(spot_figures.lines.strikes, listed, spot_figures.net_ladders(scope), spot_figures.spot)


def _sides(spot_figures: SpotFigures, scope: ScopeName) -> tuple[SideRow, ...]:
    return spot_figures.sides(scope, spot_figures.shown(scope))


def _hedged(
    spot_figures: SpotFigures, scope: ScopeName, figures: tuple[WeightFigures, WeightFigures]
) -> tuple[WeightFigures, WeightFigures]:
    if scope != "zero":
        return figures
    rows = slice(*spot_figures.span(scope))
    hedges = hedges_usd_per_1pct(spot_figures.selection.priced, spot_figures.kernel, rows)
    oi, vol = (msgspec.structs.replace(own, hedge_usd_per_1pct=usd) for own, usd in zip(figures, hedges, strict=True))
    return oi, vol


_DOLLARS_OF: Final = {name: f"{name}_usd_per_1pct" for name in WALLS}


class _Column(NamedTuple):
    """What is worked out for all spans and weights at once, of one of them."""

    span: Span
    weight: int
    totals: list[float]
    sides: list[float]
    """Sums of puts and of calls."""
    walls: dict[str, Level]
    split: float | None
    strongest: Concentration


def _weighted(spot_figures: SpotFigures) -> dict[tuple[Span, int], WeightFigures]:
    """The figures of every span under both weights."""
    strikes, spot = spot_figures.lines.strikes, spot_figures.spot
    spans = spot_figures.selection.priced.pieces.spans
    count = 2 * len(spans)
    nets = spot_figures.nets.reshape(count, strikes.size)
    ladders = spot_figures.ladders.reshape(count, 2, strikes.size)
    window = spot_figures.window
    columns = zip(
        [span for span in spans for _ in "ov"],
        [0, 1] * len(spans),
        spot_figures.totals.T.reshape(count, -1).tolist(),
        ladders.sum(axis=-1).tolist(),
        walls(strikes, ladders, spot),
        ladder_splits(strikes[window], nets[:, window]),
        concentrations(strikes, ladders),
        strict=True,
    )
    ends = int(np.searchsorted(spot_figures.kernel.years, _DAY))
    return {
        (column[0], column[1]): _weight_figures(spot_figures, _Column(*column), within_a_day=ends) for column in columns
    }


def _weight_figures(spot_figures: SpotFigures, own: _Column, *, within_a_day: int) -> WeightFigures:
    """`within_a_day` is how many entries of the chain settle within one."""
    net, gross, *others = own.totals
    puts, calls = own.sides
    levels: dict[str, Any] = {
        **_named(others, daily=_outlives_a_day(spot_figures, own, within_a_day)),
        **{name: strike for name, (strike, _) in own.walls.items()},
        **{_DOLLARS_OF[name]: value for name, (_, value) in own.walls.items()},
        **_root_levels(spot_figures.roots[own.span, own.weight], spot_figures.spot),
    }
    return WeightFigures(
        net_gex_usd_per_1pct=net,
        net_gex_usd_per_point=net / (PER_CENT * spot_figures.spot),
        gross_gex_usd_per_1pct=gross,
        confidence=abs(net) / gross if gross > 0.0 else None,
        call_gex_usd_per_1pct=calls,
        put_gex_usd_per_1pct=puts,
        top_strikes=own.strongest.top,
        top_strikes_gross=own.strongest.gross,
        concentration_strikes=own.strongest.strikes,
        ladder_split=own.split,
        **levels,
    )


def _named(others: list[float], *, daily: bool) -> dict[str, Any]:
    figures = dict(zip(OTHERS, others, strict=True))
    return figures if daily else figures | {"chex_usd_per_day": None}


def _outlives_a_day(spot_figures: SpotFigures, own: _Column, within_a_day: int) -> bool:
    """Whether every strike with any weight does; else what it loses in a day at this pace is more than it has."""
    low, high = own.span
    ends = min(high, within_a_day)
    return ends <= low or not spot_figures.selection.priced.held[own.weight, :, low:ends].any()


def _root_levels(roots: Roots, spot: float) -> dict[str, Any]:
    nearest = roots.nearest(spot)
    return {
        "zero_gamma": None if nearest is None else nearest.level,
        "zero_gamma_slope": None if nearest is None else nearest.slope,
        "zero_gamma_roots": tuple(root.level for root in roots.roots),
        "zero_gamma_directions": tuple(root.direction for root in roots.roots),
        "zero_gamma_note": roots.note,
    }


def _by_expiry(spot_figures: SpotFigures) -> tuple[tuple[str, float, float], ...]:
    """Net GEX of every living date; a date without a priced line has 0."""
    priced, living = spot_figures.selection.priced, spot_figures.selection.cut.expiries["all"]
    first = spot_figures.lines.dates.size - len(living)
    sums = np.zeros((2, len(living)))
    if len(priced):
        at = priced.date_code[priced.date_start] - first
        sums[:, at] = np.add.reduceat(priced.net * spot_figures.gamma, priced.date_start, axis=1)
    oi, vol = sums.tolist()
    return tuple(zip(living, vol, oi, strict=True))


def _risk_reversals(spot_figures: SpotFigures, asof: datetime) -> dict[ScopeName, tuple[str | None, float | None]]:
    """The risk reversal of each scope's expiry nearest to 30 days, with its date; scopes may share it."""
    days = (spot_figures.lines.dates - np.datetime64(new_york(asof).date(), "D")).astype(np.int64)
    codes = {name: _nearest_to_month(spot_figures, name, days) for name in SCOPES}
    found = {code: _reversal_of(spot_figures, code, asof) for code in set(codes.values()) if code is not None}
    return {
        name: (None, None) if code is None else (str(spot_figures.lines.dates[code]), found[code])
        for name, code in codes.items()
    }


def _nearest_to_month(spot_figures: SpotFigures, scope: ScopeName, days: Ints) -> int | None:
    """Code of the scope's date nearest to 30 days from now, of `days` to each date; None for an empty scope."""
    rows = spot_figures.selection.cut.rows[scope]
    if rows.stop <= rows.start:
        return None
    low, high = (int(spot_figures.lines.date_code[row]) for row in (rows.start, rows.stop - 1))
    return low + int(np.abs(days[low : high + 1] - _RR_DAYS).argmin())


def _reversal_of(spot_figures: SpotFigures, date_code: int, asof: datetime) -> float | None:
    """Volatility of the 25-delta call minus that of the 25-delta put, as a fraction; None when not bracketed."""
    wings = wings_of(spot_figures.lines, spot_figures.selection, date_code)
    if wings is None:
        return None
    spot, (calls, puts, ratio, settle_s) = spot_figures.spot, wings
    forward, root = spot * ratio, math.sqrt(years_to_expiry(settle_s, asof.timestamp()))
    above = slice(int(np.searchsorted(calls.strikes, spot, side="left")), None)
    below = slice(None, int(np.searchsorted(puts.strikes, spot, side="right")))
    call = iv_at_quarter(*_near_quarter(calls.strikes[above], calls.iv[above], forward, root, 1.0))
    put = iv_at_quarter(*_near_quarter(puts.strikes[below][::-1], puts.iv[below][::-1], forward, root, -1.0))
    return None if call is None or put is None else call - put


_D1_OF_QUARTER: Final = 0.6744897501960817
_CLOSE: Final = 1e-12
_QUARTER: Final = 0.25
_MOSTLY: Final = 64
"""Lines from spot outwards among which the two are nearly always."""


def _near_quarter(
    strikes: Floats, iv: Floats, forward: float, root: float, side: float
) -> tuple[list[float], list[float]]:
    """|delta| and volatility of the lines, from spot outwards, that first bracket a delta of 0.25; of no others.

    `root` is that of the time left, `side` 1 for calls and -1 for puts.
    """
    for most in (_MOSTLY, strikes.size):
        levels, volatilities = strikes[: most + 1].tolist(), iv[: most + 1].tolist()
        before = math.inf
        for place in range(min(most, strikes.size)):
            deviation = volatilities[place] * root
            beyond = -side * (math.log(forward / levels[place]) / deviation + 0.5 * deviation)
            if before <= _D1_OF_QUARTER + _CLOSE and beyond >= _D1_OF_QUARTER - _CLOSE:
                near = slice(place - 1, place + 2)
                return _deltas(levels[near], volatilities[near], forward, root, side), volatilities[near]
            before = beyond
    return [], []


def _deltas(levels: list[float], volatilities: list[float], forward: float, root: float, side: float) -> list[float]:
    found = []
    for level, volatility in zip(levels, volatilities, strict=True):
        d1 = math.log(forward / level) / (volatility * root) + 0.5 * volatility * root
        found.append(0.5 * math.erfc(-side * d1 / math.sqrt(2.0)))
    return found


def iv_at_quarter(delta: Sequence[float] | Floats, iv: Sequence[float] | Floats) -> float | None:
    """Volatility where |delta| is 0.25, linear in delta between the first two lines that bracket it.

    Of the out-of-the-money lines of one expiry and side, from spot outwards (`specs/gex-method.md` §12).
    """
    for (near, near_iv), (far, far_iv) in pairwise(zip(delta, iv, strict=True)):
        if near >= _QUARTER >= far:
            share = (near - _QUARTER) / (near - far) if near > far else 0.0
            return float(near_iv + share * (far_iv - near_iv))
    return None
