"""Exposure by expiry as a picture's contents. Pure."""

from datetime import date
from typing import Final

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, ChartWords
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.numbers import known
from bot.render.origin_words import source_text
from streaming.calendar import new_york
from streaming.clock import date_of, instant_of
from streaming.errors import RequestError
from streaming.model import WEIGHT_WORDS, GexSnapshot, ScopeName, WeightName

MOST_ROWS: Final = 10
"""Rows of text that fit under each other; what is left over is one row more."""
_OTHER_YEAR_D: Final = 300


class ExpiriesChart(ChartWords, frozen=True, kw_only=True, tag="expiries"):
    """Net exposure by expiry; `rows` are (what it is called, $ millions per 1 % move), nearest first."""

    rows: tuple[tuple[str, float], ...]
    net: float | None = None


def expiries_chart(snapshot: GexSnapshot, asked: Asked) -> ExpiriesChart:
    """The expiries of a scope under a weight; RequestError when their producer does not tell them apart."""
    scope, weight, theme, now = asked
    rows = _rows(snapshot, scope, weight)
    if not any(value for _, value in rows):
        raise RequestError(
            f"{snapshot.ticker} has no figures by expiry for {WEIGHT_WORDS[weight]}"
            f" from {source_text(snapshot.source)}.",
            remedy="The kind strikes needs less.",
        )
    if len(rows) == 1:
        raise RequestError(
            f"The scope {scope} is one expiry, {_name(rows[0][0], _today(snapshot))}: there is nothing to compare.",
            remedy="The kind strikes shows what is in it.",
        )
    return ExpiriesChart(
        title=f"{snapshot.ticker}  net GEX by expiry",
        subtitle=say.subtitle(scope, weight),
        footer=say.footer(snapshot, now, "+ more calls, − more puts"),
        rows=_bounded(rows, _today(snapshot)),
        net=say.net_millions(snapshot, scope, weight),
        theme=theme,
    )


def _today(snapshot: GexSnapshot) -> date:
    return new_york(instant_of(snapshot.asof_ms)).date()


def _rows(snapshot: GexSnapshot, scope: ScopeName, weight: WeightName) -> list[tuple[date, float]]:
    figures = say.figures_of(snapshot, scope)
    everything = snapshot.scopes.get("all")
    if figures is None or everything is None:
        return []
    wanted = set(figures.expiries)
    rows = [
        (date_of(day), say.weighed(weight, vol=vol, oi=oi)) for day, vol, oi in everything.by_expiry if day in wanted
    ]
    return [(on, value / say.MILLION) for on, value in rows if on is not None and known(value)]


def _bounded(rows: list[tuple[date, float]], today: date) -> tuple[tuple[str, float], ...]:
    named = [(_name(expiry, today), value) for expiry, value in rows]
    if len(named) <= MOST_ROWS + 1:
        return tuple(named)
    rest = named[MOST_ROWS:]
    return (*named[:MOST_ROWS], (f"{len(rest)} later", sum(value for _, value in rest)))


def _name(expiry: date, today: date) -> str:
    days = (expiry - today).days
    return f"{expiry:%d %b %y}" if days >= _OTHER_YEAR_D else f"{expiry:%d %b} · {days} d"


def _shown(chart: ExpiriesChart) -> str:
    return f"Net {say.dollars(chart.net)}: {', '.join(f'{name} {say.dollars(value)}' for name, value in chart.rows)}."


KIND: Final = ChartKind(
    name="expiries",
    words="exposure by expiry",
    record=ExpiriesChart,
    make=lambda latest, _past, asked, _ahead: expiries_chart(latest, asked),
    shown=_shown,
    painter="expiries_painter.ExpiriesPainter",
)
