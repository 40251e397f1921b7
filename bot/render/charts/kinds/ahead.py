"""Net gamma and charm's hedge flow over price and the rest of a session as a picture's contents. Pure."""

from typing import Final

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, ChartWords, Mark
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.session_times import clock_seconds
from bot.render.message_form import stamp
from bot.render.numbers import price
from bot.render.origin_words import source_text
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.day_map import DayMap
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot

_SAME_MS: Final = 120_000
_APART_MS: Final = 600_000
"""A map this much older than the figures is of another market."""


class AheadChart(ChartWords, frozen=True, kw_only=True, tag="map"):
    """Cells over price and time; `gamma` and `flow` go price after price, all times of each, in $ millions."""

    times: tuple[float, ...]
    """Seconds since midnight in New York, ascending; each is drawn until the next one."""
    ends: float
    prices: tuple[float, ...]
    """Ascending and even."""
    spot: float
    gamma: tuple[float, ...]
    """Net, per 1 % move."""
    flow: tuple[float, ...]
    """What dealers trade from the first time on because time passes: + buys, − sells."""
    marks: tuple[Mark, ...]


def ahead_chart(snapshot: GexSnapshot, ahead: DayMap | None, asked: Asked) -> AheadChart:
    """The map of a snapshot's scope; RequestError when there is none, it is old, or nothing of the scope is left."""
    scope, weight, theme, now = asked
    made = _fitting(snapshot, ahead)
    gamma = tuple(cell / say.MILLION for cell in made.gamma(scope, weight))
    if not any(gamma):
        raise RequestError(
            f"{snapshot.ticker} has no figures by {WEIGHT_WORDS[weight]} of scope {scope} in that session.",
            remedy="Choose the scope full.",
        )
    begins = new_york(instant_of(made.times_ms[0]))
    return AheadChart(
        title=f"{made.ticker}  if price and time get there",
        subtitle=f"{say.subtitle(scope, weight)} · {begins:%a %d %b}",
        footer=say.footer(snapshot, now, _note(snapshot, made)),
        times=tuple(clock_seconds(at_ms) for at_ms in made.times_ms),
        ends=clock_seconds(made.ends_ms),
        prices=made.prices,
        spot=made.spot,
        gamma=gamma,
        flow=tuple(cell / say.MILLION for cell in made.flow(scope, weight)),
        marks=say.marks(snapshot, scope, weight),
        theme=theme,
    )


def _note(snapshot: GexSnapshot, made: DayMap) -> str:
    words = "flow: + dealers buy, − sell"
    if abs(snapshot.asof_ms - made.asof_ms) < _SAME_MS:
        return words
    return f"{words} · map of {new_york(instant_of(made.asof_ms)):%H:%M} NY"


def _fitting(snapshot: GexSnapshot, ahead: DayMap | None) -> DayMap:
    if not snapshot.scopes:
        raise RequestError(
            f"{snapshot.ticker} has no map: it needs every contract, and {source_text(snapshot.source)} gives figures.",
            remedy="The kind strikes needs less.",
        )
    if ahead is None:
        raise RequestError(
            f"{snapshot.ticker} has no map yet: the engine makes one a minute from chains of schwab or cboe.",
            remedy="Try again in a minute, or choose the kind profile.",
        )
    if abs(snapshot.asof_ms - ahead.asof_ms) > _APART_MS:
        ours, theirs = (stamp(instant_of(at_ms)) for at_ms in (ahead.asof_ms, snapshot.asof_ms))
        raise RequestError(
            f"The newest map of {snapshot.ticker} is from {ours}, its figures from {theirs}.",
            remedy="Try again in a minute, or choose the kind profile.",
        )
    return ahead


def _shown(chart: AheadChart) -> str:
    columns = len(chart.times)
    row = min(range(len(chart.prices)), key=lambda n: abs(chart.prices[n] - chart.spot))
    first, last = row * columns, row * columns + columns - 1
    low, high = (f"{price(chart.prices[end])}" for end in (0, -1))
    begins = say.clock(chart.times[0])
    return (
        f"Prices {low} to {high}, {begins} to {say.clock(chart.ends)} New York. At {price(chart.spot)} net "
        f"{say.dollars(chart.gamma[first])} at {begins} and {say.dollars(chart.gamma[last])} at "
        f"{say.clock(chart.times[-1])}, by when dealers have {_traded(chart.flow[last])} because time passed; "
        f"{_extremes(chart)}; {say.levels_in_words(chart.marks)}."
    )


def _traded(millions: float) -> str:
    return f"{'bought' if millions > 0 else 'sold'} {say.dollars(abs(millions)).removeprefix('+')}"


def _extremes(chart: AheadChart) -> str:
    most, least = (choose(range(len(chart.gamma)), key=chart.gamma.__getitem__) for choose in (max, min))
    named = [("most positive", most, chart.gamma[most] > 0), ("most negative", least, chart.gamma[least] < 0)]
    return ", ".join(f"{words} {_cell(chart, at)}" for words, at, told in named if told)


def _cell(chart: AheadChart, at: int) -> str:
    row, column = divmod(at, len(chart.times))
    return f"{say.dollars(chart.gamma[at])} at {price(chart.prices[row])} {say.clock(chart.times[column])}"


KIND: Final = ChartKind(
    name="map",
    words="net GEX and charm flow until the close",
    record=AheadChart,
    make=lambda latest, _past, asked, ahead: ahead_chart(latest, ahead, asked),
    shown=_shown,
    painter="ahead_painter.AheadPainter",
    looks_ahead=True,
)
