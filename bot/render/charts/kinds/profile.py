"""Total exposure across the price of the underlying as a picture's contents. Pure."""

from typing import Final

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, Band, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.message_form import listed_roots
from bot.render.numbers import known, price
from bot.render.origin_words import source_text
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, WeightFigures

_FEWEST_POINTS: Final = 2
_SHARE: Final = 0.97
_LEAST_REACH: Final = 0.02
"""Of spot, however near it the exposure is."""
Points = tuple[tuple[float, float], ...]
_WAYS: Final = {1: "upwards", -1: "downwards"}
_MOST_FLIPS: Final = 6


class ProfileChart(ChartWords, frozen=True, kw_only=True, tag="profile"):
    """What the total would be at other prices; `points` are (price, $ millions per 1 % move), ascending."""

    points: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    flips: tuple[tuple[float, int], ...] = ()
    """(price where the total changes sign, +1 from − to + with rising price, −1 the other way), ascending."""
    band: Band | None = None
    net: float | None = None
    """At spot, $ millions per 1 %."""


def profile_chart(snapshot: GexSnapshot, asked: Asked) -> ProfileChart:
    """The profile of a scope under a weight; RequestError when its producer gives none."""
    scope, weight, theme, now = asked
    figures = say.figures_of(snapshot, scope)
    rows = () if figures is None else figures.profile
    totals = [(level, say.weighed(weight, vol=vol, oi=oi)) for level, vol, oi in rows]
    points = tuple((level, total / say.MILLION) for level, total in totals if known(total))
    if figures is None or len(points) < _FEWEST_POINTS or not any(value for _, value in points):
        raise RequestError(
            f"{snapshot.ticker} has no profile by {WEIGHT_WORDS[weight]} from {source_text(snapshot.source)}.",
            remedy="The kind strikes needs less.",
        )
    own = figures.by(weight)
    points = _where_most_is(points, snapshot.spot)
    return ProfileChart(
        title=f"{snapshot.ticker}  net GEX if spot moved",
        subtitle=say.subtitle(scope, weight),
        footer=say.footer(snapshot, now, _flips_in_words(own)),
        points=points,
        marks=say.marks(snapshot, scope, weight),
        band=say.band_of(snapshot),
        flips=tuple(flip for flip in _flips(own) if points[0][0] <= flip[0] <= points[-1][0]),
        net=say.net_millions(snapshot, scope, weight),
        theme=theme,
    )


def _where_most_is(points: Points, spot: float | None) -> Points:
    """As far from spot as nearly all of the area lies: of the nearest expiry that is near, of all of them far."""
    if spot is None:
        return points
    needed = _SHARE * sum(abs(value) for _, value in points)
    reach, held = _LEAST_REACH * spot, 0.0
    for level, value in sorted(points, key=lambda point: abs(point[0] - spot)):
        if held >= needed:
            break
        reach, held = max(reach, abs(level - spot)), held + abs(value)
    return tuple(point for point in points if abs(point[0] - spot) <= reach)


def _flips(own: WeightFigures) -> tuple[tuple[float, int], ...]:
    directions = (*own.zero_gamma_directions, *[0] * len(own.zero_gamma_roots))
    return tuple(zip(own.zero_gamma_roots, directions, strict=False))


def _flips_in_words(own: WeightFigures) -> str:
    count = len(own.zero_gamma_roots)
    if count == 0:
        return own.zero_gamma_note or "no flip"
    return "one flip" if count == 1 else f"{count} flips, the nearest is named"


def _shown(chart: ProfileChart) -> str:
    first, last = chart.points[0], chart.points[-1]
    ends = [f"{say.dollars(value)} at {price(level)}" for level, value in (first, last)]
    words = f"From {' to '.join(ends)}, at spot {say.dollars(chart.net)}"
    return f"{words}, {say.levels_in_words(chart.marks)}{say.band_in_words(chart.band)}. {_flips_shown(chart)}"


def _flips_shown(chart: ProfileChart) -> str:
    if not chart.flips:
        return "The total never changes sign."
    return f"The sign changes at {listed_roots(chart.flips, _MOST_FLIPS, _WAYS)}."


KIND: Final = ChartKind(
    name="profile",
    words="the total if spot moved, with the flip",
    record=ProfileChart,
    make=lambda latest, _past, asked, _ahead: profile_chart(latest, asked),
    shown=_shown,
    painter="profile_painter.ProfilePainter",
)
