"""What was traded, in dollars of gamma: each trade at the gamma of now (`specs/gex-method.md` §11).

Unlike a max change it has no part of re-pricing: without a trade it is 0, whatever spot and time do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streaming.gex.points.basis import shift
from streaming.gex.pricing.formulas import Floats
from streaming.gex.results.max_change import strongest
from streaming.gex.results.spot_figures import SpotFigures
from streaming.gex.results.trades import TradeLog
from streaming.model import FLOW_SPANS, Flow, FlowRow, FlowSpan, ScopeName


@dataclass(frozen=True, slots=True, eq=False)
class SpanFlow:
    """One span of a scope."""

    contracts: float
    by_strike: Floats
    """s·Δvolume·100·S²·0.01·Γ at each strike of the chain, $ per 1 %."""


Flows = Mapping[FlowSpan, SpanFlow]
"""The spans that are known."""


def flows(found: SpotFigures, scope: ScopeName, log: TradeLog) -> Flows:
    """What was traded in a scope over each span; since the open it is the day's volume. The log must know the chain."""
    priced, strikes = found.selection.priced, found.lines.strikes.size
    start, end = found.span(scope)
    rows = log.busy()
    entry, counts = priced.places_of(rows)
    counts &= (start <= entry) & (entry < end)
    rows, entry = rows[counts], entry[counts]
    traded, sign = log.traded(rows), np.where(found.lines.is_call[rows], 1.0, -1.0)
    dollars, code = traded * (sign * found.gamma[entry]), priced.strike_code[entry]
    windows = {
        span: SpanFlow(float(traded[place].sum()), np.bincount(code, dollars[place], strikes).astype(np.float64))
        for place, span in enumerate(FLOW_SPANS[:-1])
        if log.knows(place)
    }
    day = SpanFlow(float(priced.held[1, :, start:end].sum()), found.net_ladders(scope)[1])
    return {**windows, FLOW_SPANS[-1]: day}


def flow_records(found: Flows, strikes: Floats, points: float | None) -> tuple[Flow, ...]:
    """Total and strongest strike of every span, in the ticker's points; null throughout where a span is not known."""
    return tuple(_record(span, found.get(span), strikes, points) for span in FLOW_SPANS)


def _record(span: FlowSpan, own: SpanFlow | None, strikes: Floats, points: float | None) -> Flow:
    if own is None or not strikes.size:
        return Flow(span=span)
    strike, dollars = strongest(strikes, own.by_strike)
    return Flow(
        span=span,
        usd_per_1pct=float(own.by_strike.sum()),
        contracts=round(own.contracts),
        strike=shift(strike, points),
        strike_usd_per_1pct=dollars,
    )


def flow_rows(found: Flows, strikes: Floats, window: slice, points: float | None) -> tuple[FlowRow, ...]:
    """Strike by strike in the window what was traded over each span, whole dollars; only strikes where anything was."""
    if points is None:
        return ()
    columns: Floats = np.round([own.by_strike[window] for own in found.values()]) if found else np.zeros((0, 0))
    busy = np.flatnonzero(columns.any(axis=0))
    told = dict(zip(found, columns[:, busy].tolist(), strict=True))
    unknown = [None] * busy.size
    cells = [told.get(span, unknown) for span in FLOW_SPANS]
    return tuple(zip((strikes[window][busy] + points).tolist(), zip(*cells, strict=True), strict=True))
