"""Calls and puts of the strikes around spot, and where those stood minutes ago, as a picture's contents. Pure."""

from collections.abc import Sequence
from typing import Final

import msgspec

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.kinds.strikes import bars_of
from bot.render.numbers import known, strike
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightName

MOST_ROWS: Final = 25
MOST_NAMED: Final = 3
MINUTES: Final = (1, 5, 10, 15, 30)
"""Before now, in the order in which a snapshot keeps them."""
_APART: Final = 4
"""Rows between two that are named, so that their figures do not touch."""


class LadderStep(msgspec.Struct, frozen=True, gc=False):
    """One strike; exposures in $ millions per 1 % move."""

    strike: float
    net: float
    call: float | None = None
    put: float | None = None
    priors: tuple[float | None, ...] = ()
    """Its net so many `MINUTES` ago; by volume only."""


class LadderChart(ChartWords, frozen=True, kw_only=True, tag="ladder"):
    """Rows ascend by strike."""

    rows: tuple[LadderStep, ...]
    named: tuple[int, ...]
    """Positions of the strongest rows, strongest first."""
    marks: tuple[Mark, ...]
    net: float | None = None
    """Of the whole scope, also of strikes that are not shown."""


def ladder_chart(snapshot: GexSnapshot, asked: Asked) -> LadderChart:
    """The strikes nearest to spot; RequestError when the snapshot has none of this scope and weight."""
    scope, weight, theme, now = asked
    bars = bars_of(snapshot, scope, weight)
    centre = snapshot.spot if snapshot.spot is not None else (bars[len(bars) // 2][0] if bars else 0.0)
    near = sorted(sorted(bars, key=lambda bar: abs(bar[0] - centre))[:MOST_ROWS])
    if not any(value for _, value in near):
        raise RequestError(
            f"{snapshot.ticker} has no figures by strike for {WEIGHT_WORDS[weight]} near spot yet.",
            remedy="Try again later.",
        )
    rows = _rows(snapshot, scope, weight, near)
    dotted = any(known(value) for row in rows for value in row.priors)
    dots = f" · dots: {MINUTES[0]} to {MINUTES[-1]} min ago" if dotted else ""
    return LadderChart(
        title=f"{snapshot.ticker}  calls and puts by strike",
        subtitle=say.subtitle(scope if snapshot.scopes or snapshot.scope else None, weight),
        footer=say.footer(snapshot, now, f"solid: net{dots}"),
        rows=rows,
        named=_strongest(rows),
        marks=say.marks(snapshot, scope, weight),
        net=say.net_millions(snapshot, scope, weight),
        theme=theme,
    )


def _rows(
    snapshot: GexSnapshot, scope: ScopeName, weight: WeightName, near: Sequence[tuple[float, float]]
) -> tuple[LadderStep, ...]:
    figures = say.figures_of(snapshot, scope)
    calls, puts = (3, 4) if weight == "oi" else (1, 2)
    sides = {} if figures is None else {row[0]: row for row in figures.sides}
    of_scope = weight == "vol" and snapshot.scope in {None, scope}
    priors = {strike: before for strike, _, _, before in snapshot.strikes} if of_scope else {}
    return tuple(
        LadderStep(
            strike=strike,
            net=net,
            call=sides[strike][calls] / say.MILLION if strike in sides else None,
            put=sides[strike][puts] / say.MILLION if strike in sides else None,
            priors=tuple(priors.get(strike, ())[: len(MINUTES)]),
        )
        for strike, net in near
    )


def _strongest(rows: Sequence[LadderStep]) -> tuple[int, ...]:
    """Those with the largest net, none beside another of them."""
    found: list[int] = []
    for place in sorted(range(len(rows)), key=lambda place: -abs(rows[place].net)):
        if rows[place].net and len(found) < MOST_NAMED and all(abs(place - other) >= _APART for other in found):
            found.append(place)
    return tuple(found)


def _shown(chart: LadderChart) -> str:
    rows = [chart.rows[place] for place in chart.named]
    strongest = ", ".join(f"{strike(row.strike)} {say.dollars(row.net)}" for row in rows)
    span = f"strikes {strike(chart.rows[0].strike)} to {strike(chart.rows[-1].strike)}"
    return f"Net {say.dollars(chart.net)}, {span}, strongest {strongest}, {say.levels_in_words(chart.marks)}."


KIND: Final = ChartKind(
    name="ladder",
    words="calls and puts near spot, and minutes ago",
    record=LadderChart,
    make=lambda latest, _past, asked, _ahead: ladder_chart(latest, asked),
    shown=_shown,
    painter="ladder_painter.LadderPainter",
)
