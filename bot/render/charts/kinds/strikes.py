"""Exposure by strike as a picture's contents. Pure."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, Band, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.numbers import known, strike
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightName

_MOST_BARS: Final = 160
_SHARE: Final = 0.95
"""Of the exposure without its signs: the picture reaches as far from spot as it takes to hold so much of it."""
_LEAST_REACH: Final = 0.01
"""Of spot, however near it the exposure is."""
Bar = tuple[float, float]
"""(strike, net exposure in $ millions per 1 % move)."""
Sides = tuple[float, float, float]
"""(strike, its calls, its puts), in the same unit: calls +, puts −."""


class StrikesChart(ChartWords, frozen=True, kw_only=True, tag="strikes"):
    """Net exposure by strike; `bars` ascend by strike."""

    bars: tuple[Bar, ...]
    sides: tuple[Sides, ...] = ()
    """Of the bars near spot where the source tells them apart."""
    marks: tuple[Mark, ...]
    band: Band | None = None
    net: float | None = None
    """Of the whole scope, also of strikes that are not shown; $ millions per 1 %."""


def strikes_chart(snapshot: GexSnapshot, asked: Asked) -> StrikesChart:
    """The chart of a snapshot at the time of drawing, with the levels of the same scope and weight.

    RequestError when the snapshot has no figure by strike of this scope and weight.
    """
    scope, weight, theme, now = asked
    bars = _nearest(snapshot, _where_most_is(snapshot, bars_of(snapshot, scope, weight)))
    if not any(value for _, value in bars):
        raise RequestError(
            f"{snapshot.ticker} has no figures by strike for {WEIGHT_WORDS[weight]} yet.", remedy="Try again later."
        )
    return StrikesChart(
        title=f"{snapshot.ticker}  net GEX by strike",
        subtitle=say.subtitle(scope if snapshot.scopes or snapshot.scope else None, weight),
        footer=say.footer(snapshot, now, f"levels by {WEIGHT_WORDS[weight]}"),
        bars=bars,
        sides=_sides(snapshot, scope, weight, {strike for strike, _ in bars}),
        marks=say.marks(snapshot, scope, weight),
        band=say.band_of(snapshot),
        net=say.net_millions(snapshot, scope, weight),
        theme=theme,
    )


def bars_of(snapshot: GexSnapshot, scope: ScopeName, weight: WeightName) -> list[Bar]:
    """Every strike whose exposure is known, of a scope under a weight, ascending."""
    figures = say.figures_of(snapshot, scope)
    if figures is not None and figures.ladder:
        own = [(strike, say.weighed(weight, vol=vol, oi=oi)) for strike, vol, oi in figures.ladder]
        return [(strike, value / say.MILLION) for strike, value in own if known(value)]
    if snapshot.scope not in {None, scope}:
        return []
    classic = [(strike, say.weighed(weight, vol=vol, oi=oi)) for strike, vol, oi, _ in snapshot.strikes]
    return [(strike, value) for strike, value in classic if known(value)]


def _sides(snapshot: GexSnapshot, scope: ScopeName, weight: WeightName, shown: AbstractSet[float]) -> tuple[Sides, ...]:
    figures = say.figures_of(snapshot, scope)
    calls, puts = (3, 4) if weight == "oi" else (1, 2)
    rows = () if figures is None else (row for row in figures.sides if row[0] in shown)
    return tuple((row[0], row[calls] / say.MILLION, row[puts] / say.MILLION) for row in rows)


def _where_most_is(snapshot: GexSnapshot, bars: list[Bar]) -> list[Bar]:
    """The bars as far from spot as nearly all exposure lies, so that they are wide enough to be told apart."""
    spot = snapshot.spot
    if spot is None:
        return bars
    needed = _SHARE * sum(abs(value) for _, value in bars)
    reach, held = _LEAST_REACH * spot, 0.0
    for at, value in sorted(bars, key=lambda bar: abs(bar[0] - spot)):
        if held >= needed:
            break
        reach, held = max(reach, abs(at - spot)), held + abs(value)
    return [bar for bar in bars if abs(bar[0] - spot) <= reach]


def _nearest(snapshot: GexSnapshot, bars: list[Bar]) -> tuple[Bar, ...]:
    if len(bars) > _MOST_BARS:
        centre = snapshot.spot if snapshot.spot is not None else bars[len(bars) // 2][0]
        bars = sorted(sorted(bars, key=lambda bar: abs(bar[0] - centre))[:_MOST_BARS])
    return tuple(bars)


def _shown(chart: StrikesChart) -> str:
    words = f"Net {say.dollars(chart.net)}{say.extremes(chart.bars)}{_most_of_a_side(chart.sides)}"
    return f"{words}, {say.levels_in_words(chart.marks)}{say.band_in_words(chart.band)}."


def _most_of_a_side(sides: Sequence[Sides]) -> str:
    """Where calls alone and puts alone are strongest."""
    if not sides:
        return ""
    call, put = max(sides, key=lambda row: row[1]), min(sides, key=lambda row: row[2])
    calls, puts = f"{say.dollars(call[1])} at {strike(call[0])}", f"{say.dollars(put[2])} at {strike(put[0])}"
    return f", near spot most calls {calls} and most puts {puts}"


KIND: Final = ChartKind(
    name="strikes",
    words="exposure by strike",
    record=StrikesChart,
    make=lambda latest, _past, asked, _ahead: strikes_chart(latest, asked),
    shown=_shown,
    painter="strikes_painter.StrikesPainter",
)
