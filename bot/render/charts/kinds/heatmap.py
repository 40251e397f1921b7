"""Exposure by strike over a session as a picture's contents. Pure.

Which strikes share a row is left to the worker (`heatmap_painter`): a day of strikes is too much for the loop.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.session_times import same_day, seconds_of, spread, usual_distance_s, usual_gap_s
from bot.render.numbers import finite, strike
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightName
from streaming.past import PastLevels, PastSnapshot, PastStrike, past_of

MOST_COLUMNS: Final = 72
_FEWEST: Final = 2


class Column(msgspec.Struct, frozen=True, gc=False):
    """The strikes at one time, and until when they are shown."""

    begins: float
    """Seconds since midnight in New York."""
    ends: float
    spot: float | None
    zero_gamma: float | None
    offset: float
    """What a futures ticker's basis adds to the strikes."""
    strikes: tuple[PastStrike, ...]


class HeatmapChart(ChartWords, frozen=True, kw_only=True, tag="heatmap"):
    """Net exposure of strikes over time; exposures in $ millions per 1 % move."""

    weight: WeightName
    columns: tuple[Column, ...]
    marks: tuple[Mark, ...]
    net: float | None = None


def heatmap_chart(latest: GexSnapshot, history: Sequence[PastLevels], asked: Asked) -> HeatmapChart:
    """The day of `latest` up to it, of the one scope whose strikes are kept.

    RequestError for another scope, while the day is a single snapshot, or when it has no strikes.
    """
    scope, weight, theme, now = asked
    if latest.scope not in {None, scope}:
        raise RequestError(
            f"The history keeps the strikes of scope {latest.scope} only.", remedy=f"Choose the scope {latest.scope}."
        )
    whole = [seen for seen in history if isinstance(seen, PastSnapshot)]
    day = [seen for seen in spread(same_day(past_of(latest), whole), MOST_COLUMNS) if seen.scope == latest.scope]
    if len(day) < _FEWEST or not any(_has_figures(seen, weight) for seen in day):
        raise RequestError(
            f"{latest.ticker} has no history by strike for {WEIGHT_WORDS[weight]} of this day yet.",
            remedy="Try again in a minute.",
        )
    return HeatmapChart(
        title=f"{latest.ticker}  net GEX by strike and time",
        subtitle=say.subtitle(latest.scope, weight),
        footer=say.footer(latest, now, f"{len(day)} snapshots shown"),
        weight=weight,
        columns=_columns(day, scope, weight),
        marks=say.marks(latest, scope, weight),
        net=say.net_millions(latest, scope, weight),
        theme=theme,
    )


def _has_figures(seen: PastSnapshot, weight: WeightName) -> bool:
    return any(row.vol if weight == "vol" else row.oi for row in seen.strikes)


def _columns(day: Sequence[PastSnapshot], scope: ScopeName, weight: WeightName) -> tuple[Column, ...]:
    """Every snapshot up to the next one, or for the usual distance before a gap and at the end."""
    times = [seconds_of(seen) for seen in day]
    longest, usual = usual_gap_s(times), usual_distance_s(times)
    ends = [after if after - at <= longest else at + usual for at, after in pairwise(times)]
    return tuple(
        Column(
            at,
            end,
            finite(seen.spot),
            finite(say.levels(seen, scope, weight)["zero_gamma"]),
            seen.basis or 0.0,
            seen.strikes,
        )
        for seen, at, end in zip(day, times, [*ends, times[-1] + usual], strict=True)
    )


def _shown(chart: HeatmapChart) -> str:
    newest = chart.columns[-1]
    by_volume = chart.weight == "vol"
    rows = [(row.strike, row.vol if by_volume else row.oi) for row in newest.strikes]
    found = tuple((strike, value) for strike, value in rows if value is not None)
    span = (
        f"{len(chart.columns)} times from {say.clock(chart.columns[0].begins)} to {say.clock(newest.begins)} New York"
    )
    reach = f", strikes {strike(found[0][0])} to {strike(found[-1][0])}{say.extremes(found)}" if found else ""
    return f"{span}, at last net {say.dollars(chart.net)}{reach}, {say.levels_in_words(chart.marks)}."


KIND: Final = ChartKind(
    name="heatmap",
    words="exposure by strike and time",
    record=HeatmapChart,
    make=lambda latest, past, asked, _ahead: heatmap_chart(latest, past, asked),
    shown=_shown,
    painter="heatmap_painter.HeatmapPainter",
    most_past=MOST_COLUMNS,
    past_strikes=True,
)
