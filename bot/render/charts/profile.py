"""Total exposure across the price of the underlying as a picture's contents. Pure."""

from datetime import datetime
from typing import Final

from bot.render.charts.chart_words import (
    MILLION,
    ChartWords,
    Mark,
    figures_of,
    footer,
    marks,
    net_millions,
    subtitle,
    weighed,
)
from bot.render.numbers import known
from bot.render.origin_words import source_text
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightFigures, WeightName

_FEWEST_POINTS: Final = 2


class ProfileChart(ChartWords, frozen=True, kw_only=True, tag="profile"):
    """What the total would be at other prices; `points` are (price, $ millions per 1 % move), ascending."""

    points: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    flips: tuple[tuple[float, int], ...] = ()
    """(price where the total changes sign, +1 from − to + with rising price, −1 the other way), ascending."""
    net: float | None = None
    """At spot, $ millions per 1 %."""


def profile_chart(
    snapshot: GexSnapshot, *, scope: ScopeName, weight: WeightName, theme: str, now: datetime
) -> ProfileChart:
    """The profile of a scope under a weight; RequestError when its producer gives none."""
    figures = figures_of(snapshot, scope)
    rows = () if figures is None else figures.profile
    totals = [(level, weighed(weight, vol=vol, oi=oi)) for level, vol, oi in rows]
    points = tuple((level, total / MILLION) for level, total in totals if total is not None and known(total))
    if figures is None or len(points) < _FEWEST_POINTS or not any(value for _, value in points):
        raise RequestError(
            f"{snapshot.ticker} has no profile by {WEIGHT_WORDS[weight]} from {source_text(snapshot.source)}.",
            remedy="The kind strikes needs less.",
        )
    own = figures.oi if weight == "oi" else figures.vol
    return ProfileChart(
        title=f"{snapshot.ticker}  net GEX if spot moved",
        subtitle=subtitle(scope, weight),
        footer=footer(snapshot, now, _flips_in_words(own)),
        points=points,
        marks=marks(snapshot, scope, weight),
        flips=_flips(own),
        net=net_millions(snapshot, scope, weight),
        theme=theme,
    )


def _flips(own: WeightFigures) -> tuple[tuple[float, int], ...]:
    directions = (*own.zero_gamma_directions, *[0] * len(own.zero_gamma_roots))
    return tuple(zip(own.zero_gamma_roots, directions, strict=False))


def _flips_in_words(own: WeightFigures) -> str:
    count = len(own.zero_gamma_roots)
    if count == 0:
        return own.zero_gamma_note or "no flip"
    return "one flip" if count == 1 else f"{count} flips, the nearest is named"
