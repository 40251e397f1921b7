"""Calls and puts of the strikes around spot, and where those stood minutes ago, as a picture's contents. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.kinds.strikes import bars_of
from bot.render.numbers import known, strike
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightName
from streaming.past import PastLevels, PastSnapshot

MOST_ROWS: Final = 25
MOST_NAMED: Final = 3
MINUTES: Final = (1, 5, 10, 15, 30)
"""Before now, in the order in which a snapshot keeps them."""
_MINUTE_MS: Final = 60_000
_PLACES: Final = 4
_MOST_PAST: Final = 124
"""Of half an hour four a minute, so that one is near to each of `MINUTES`."""
_APART: Final = 4
"""Rows between two that are named, so that their figures do not touch."""


class LadderStep(msgspec.Struct, frozen=True, gc=False):
    """One strike; exposures in $ millions per 1 % move."""

    strike: float
    net: float
    call: float | None = None
    put: float | None = None
    priors: tuple[float | None, ...] = ()
    """Its net so many `MINUTES` ago."""


class LadderChart(ChartWords, frozen=True, kw_only=True, tag="ladder"):
    """Rows ascend by strike."""

    rows: tuple[LadderStep, ...]
    named: tuple[int, ...]
    """Positions of the strongest rows, strongest first."""
    marks: tuple[Mark, ...]
    net: float | None = None
    """Of the whole scope, also of strikes that are not shown."""


def ladder_chart(snapshot: GexSnapshot, asked: Asked, past: Sequence[PastLevels] = ()) -> LadderChart:
    """The strikes nearest to spot, and where they stood in the `past` that is known.

    RequestError when the snapshot has none of this scope and weight.
    """
    scope, weight, theme, now = asked
    bars = bars_of(snapshot, scope, weight)
    centre = snapshot.spot if snapshot.spot is not None else (bars[len(bars) // 2][0] if bars else 0.0)
    near = sorted(sorted(bars, key=lambda bar: abs(bar[0] - centre))[:MOST_ROWS])
    if not any(value for _, value in near):
        raise RequestError(
            f"{snapshot.ticker} has no figures by strike for {WEIGHT_WORDS[weight]} near spot yet.",
            remedy="Try again later.",
        )
    rows = _rows(snapshot, scope, weight, near, past)
    return LadderChart(
        title=f"{snapshot.ticker}  calls and puts by strike",
        subtitle=say.subtitle(scope if snapshot.scopes or snapshot.scope else None, weight),
        footer=say.footer(snapshot, now, f"solid: net{_dots(rows)}"),
        rows=rows,
        named=_strongest(rows),
        marks=say.marks(snapshot, scope, weight),
        net=say.net_millions(snapshot, scope, weight),
        theme=theme,
    )


def _dots(rows: Sequence[LadderStep]) -> str:
    """What the foot says of the dots that there are."""
    found = sorted(
        {minutes for row in rows for minutes, value in zip(MINUTES, row.priors, strict=False) if known(value)}
    )
    if not found:
        return ""
    first = MINUTES.index(found[0])
    together = len(found) > 1 and found == list(MINUTES[first : first + len(found)])
    return f" · dots: {f'{found[0]} to {found[-1]}' if together else ', '.join(map(str, found))} min ago"


def _rows(
    snapshot: GexSnapshot,
    scope: ScopeName,
    weight: WeightName,
    near: Sequence[tuple[float, float]],
    past: Sequence[PastLevels],
) -> tuple[LadderStep, ...]:
    figures = say.figures_of(snapshot, scope)
    calls, puts = (3, 4) if weight == "oi" else (1, 2)
    sides = {} if figures is None else {row[0]: row for row in figures.sides}
    priors = _priors(snapshot, weight, past) if snapshot.scope in {None, scope} else {}
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


def _priors(
    snapshot: GexSnapshot, weight: WeightName, past: Sequence[PastLevels]
) -> Mapping[float, tuple[float | None, ...]]:
    """By strike: by volume the snapshot says it itself, by open interest the past does."""
    if weight == "vol":
        return {strike: before for strike, _, _, before in snapshot.strikes}
    columns = [_nets(_seen_before(snapshot, past, minutes)) for minutes in MINUTES]
    shift = snapshot.basis or 0.0
    of_chain = {strike: round(strike - shift, _PLACES) for strike, *_ in snapshot.strikes}
    return {strike: tuple(column.get(at) for column in columns) for strike, at in of_chain.items()}


def _seen_before(snapshot: GexSnapshot, past: Sequence[PastLevels], minutes: int) -> PastLevels | None:
    """The snapshot nearest to so many minutes ago, not far from it, of the same scope and source of futures points."""
    wanted = snapshot.asof_ms - minutes * _MINUTE_MS
    near = [seen for seen in past if seen.scope == snapshot.scope and (seen.basis is None) == (snapshot.basis is None)]
    found = min(near, key=lambda seen: abs(seen.asof_ms - wanted), default=None)
    if found is None or abs(found.asof_ms - wanted) > minutes * _MINUTE_MS / 4:
        return None
    return found


def _nets(seen: PastLevels | None) -> dict[float, float | None]:
    """By strike of the chain: futures points move with their basis."""
    if not isinstance(seen, PastSnapshot):
        return {}
    return {round(row.strike - (seen.basis or 0.0), _PLACES): row.oi for row in seen.strikes}


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
    make=lambda latest, past, asked, _ahead: ladder_chart(latest, asked, past),
    shown=_shown,
    painter="ladder_painter.LadderPainter",
    most_past=_MOST_PAST,
    past_minutes=MINUTES[-1] + 1.0,
    past_strikes=True,
    past_adds=True,
)
