"""Figures in the shape that travels: GEXBot's classic fields first, then our own (`specs/gex-method.md` §13)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from streaming.clock import epoch_ms
from streaming.gex.points.basis import Basis, shift, shift_levels
from streaming.gex.pricing.formulas import Floats
from streaming.gex.pricing.live_book import Conventions
from streaming.gex.pricing.selection import Selection
from streaming.gex.results.flow import Flows, flow_records, flow_rows
from streaming.gex.results.market_state import State
from streaming.gex.results.max_change import Change, Ladder, largest_change, values_at
from streaming.gex.results.spot_figures import SpotFigures
from streaming.gex.results.standing import standing
from streaming.model import (
    WEIGHTS,
    ChainQuality,
    ExpectedMove,
    GexSnapshot,
    MaxChange,
    PointView,
    ScopeFigures,
    ScopeName,
    SignedFlow,
    StrikeRow,
)
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker

MILLION: Final = 1e6


@dataclass(frozen=True, slots=True)
class SnapshotTimes:
    """Three clocks: `at` decides what has settled, `asof` (the newest quote) the time left, `now` is the caller's."""

    at: datetime
    asof: datetime
    now: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Ingredients:
    """What a snapshot is made of; `spot_figures` is None when there is no spot to price at."""

    ticker: Ticker
    scope: ScopeName
    chain: OptionChain
    moment: SnapshotTimes
    state: State
    selection: Selection
    spot_figures: SpotFigures | None
    scopes: dict[str, ScopeFigures]
    basis: Basis | None
    views: dict[str, PointView]
    expected_move: ExpectedMove | None
    priors: tuple[Ladder | None, ...]
    flows: Flows
    signed_flow: SignedFlow | None
    conventions: Conventions
    ex_dividend: date | None
    dividend_ahead: float | None
    seq: int


def build_snapshot(made: Ingredients) -> GexSnapshot:
    """The snapshot; levels of a futures ticker are in futures points, or None without a basis."""
    snapshot = _snapshot(made)
    return replace(snapshot, standing={weight: standing(snapshot, None, weight) for weight in WEIGHTS})


def _snapshot(made: Ingredients) -> GexSnapshot:
    points = (None if made.basis is None else made.basis.points) if made.ticker.future else 0.0
    scopes = (
        {name: shift_levels(figures, points) for name, figures in made.scopes.items()} if points != 0.0 else made.scopes
    )
    chosen = scopes.get(made.scope, ScopeFigures())
    changes = _changes(made)
    return GexSnapshot(
        ticker=made.ticker.name,
        timestamp=int(made.moment.asof.timestamp()),
        spot=None if made.spot_figures is None else shift(made.spot_figures.spot, points),
        min_dte=made.selection.cut.dte[0],
        sec_min_dte=made.selection.cut.dte[1],
        ladder_split=chosen.vol.ladder_split,
        major_pos_vol=chosen.vol.call_wall,
        major_pos_oi=chosen.oi.call_wall,
        major_neg_vol=chosen.vol.put_wall,
        major_neg_oi=chosen.oi.put_wall,
        sum_gex_vol=_millions(chosen.vol.net_gex_usd_per_1pct),
        sum_gex_oi=_millions(chosen.oi.net_gex_usd_per_1pct),
        strikes=() if points is None else _strike_rows(made, points),
        max_priors=tuple(_max_change(change, points) for change in changes),
        asof_ms=epoch_ms(made.moment.asof),
        chain_ms=made.chain.oldest_ms,
        computed_ms=epoch_ms(made.moment.now),
        seq=made.seq,
        source=made.chain.source,
        delayed=made.chain.delayed,
        scope=made.scope,
        state=made.state,
        forward_mode=made.conventions.forward,
        volatility_rule=made.conventions.volatility,
        ex_dividend_date=None if made.ex_dividend is None else made.ex_dividend.isoformat(),
        dividend_ahead=made.dividend_ahead,
        basis=None if made.basis is None else made.basis.points,
        basis_ms=None if made.basis is None else made.basis.measured_ms,
        basis_stale=None if made.basis is None else not made.basis.is_live(epoch_ms(made.moment.at)),
        contracts_settled=made.selection.cut.start,
        chain_quality=_chain_quality(made),
        views=made.views,
        scopes=scopes,
        expected_move=_move(made.expected_move, points),
        **_flow(made, points),
        signed_flow=made.signed_flow,
    )


def _move(found: ExpectedMove | None, points: float | None) -> ExpectedMove | None:
    """With its strike in the ticker's points; what it is wide does not depend on them."""
    if found is None or points is None:
        return None
    return replace(found, strike=found.strike + points)


def _chain_quality(made: Ingredients) -> ChainQuality | None:
    """What reading the chain met, unless a live price has come since for the one that it implied; None for nothing."""
    quality = made.chain.quality
    if made.spot_figures is not None and made.spot_figures.spot != made.chain.spot:
        quality = replace(quality, spot_implied=False)
    return None if quality == ChainQuality() else quality


def ladder_by_volume(spot_figures: SpotFigures, scope: ScopeName, at: datetime) -> Ladder:
    """The scope's whole net ladder by volume, for the history of max change."""
    return Ladder(at.timestamp(), spot_figures.lines.strikes, spot_figures.net_ladders(scope)[1])


def _changes(made: Ingredients) -> tuple[Change, ...]:
    if made.spot_figures is None or not made.selection.is_priced(made.scope):
        return ((None, None),) * len(made.priors)
    now = ladder_by_volume(made.spot_figures, made.scope, made.moment.at)
    return tuple(largest_change(now, values_at(now.strikes, prior)) for prior in made.priors)


def _flow(made: Ingredients, points: float | None) -> dict[str, Any]:
    if made.spot_figures is None:
        return {"flow": flow_records({}, np.zeros(0), points)}
    strikes, window = made.spot_figures.lines.strikes, made.spot_figures.window
    return {
        "flow": flow_records(made.flows, strikes, points),
        "flow_strikes": flow_rows(made.flows, strikes, window, points),
    }


def _max_change(change: Change, points: float | None) -> MaxChange:
    strike, dollars = change
    return shift(strike, points), _millions(dollars)


def _strike_rows(made: Ingredients, points: float) -> tuple[StrikeRow, ...]:
    spot_figures = made.spot_figures
    if spot_figures is None or not made.selection.is_priced(made.scope):
        return ()
    strikes = spot_figures.lines.strikes
    shown = spot_figures.shown(made.scope)
    oi, vol = (spot_figures.net_ladders(made.scope)[:, shown] / MILLION).tolist()
    priors = [_column(values_at(strikes, prior), shown) for prior in made.priors[1:]]
    return tuple(zip((strikes[shown] + points).tolist(), vol, oi, zip(*priors, strict=True), strict=True))


def _column(values: Floats | None, shown: NDArray[np.intp]) -> list[float | None]:
    if values is None:
        return [None] * shown.size
    column: list[float | None] = (values[shown] / MILLION).tolist()
    return column


def _millions(dollars: float | None) -> float | None:
    return None if dollars is None else dollars / MILLION
