"""Spot against zero gamma and the walls over a session as a picture's contents. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import msgspec

from bot.render.charts import chart_words as say
from bot.render.charts.chart_words import Asked, Band, ChartWords
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.session_times import day_of, same_day, seconds_of, spread, usual_distance_s, usual_gap_s
from bot.render.numbers import finite, level
from bot.render.origin_words import source_name
from streaming.calendar import next_session
from streaming.clock import date_of
from streaming.errors import RequestError
from streaming.history.day_rows import DayRow
from streaming.history.grades import FROZEN_FROM
from streaming.model import GexSnapshot
from streaming.past import PastLevels, past_of

MOST_POINTS: Final = 240
_FEWEST: Final = 2
_FROZEN_FROM_S: Final = FROZEN_FROM.hour * 3600.0 + FROZEN_FROM.minute * 60.0


class Series(msgspec.Struct, frozen=True):
    """One line; None where the figure was unknown or nothing arrived."""

    kind: str
    """One of `MARKED`."""
    name: str
    values: tuple[float | None, ...]


class HistoryChart(ChartWords, frozen=True, kw_only=True, tag="history"):
    """Levels over time; `times` are seconds since midnight in New York, one for each value of every series."""

    times: tuple[float, ...]
    series: tuple[Series, ...]
    band: Band | None = None
    """What was expected of the day in its morning."""
    days: tuple[str, ...] = ()
    """Over several sessions their ISO dates; `times` then count them from 0."""


def history_chart(latest: GexSnapshot, history: Sequence[PastLevels], asked: Asked) -> HistoryChart:
    """The day of `latest` up to it; RequestError while it is a single snapshot, or has nothing of the scope."""
    scope, weight, theme, now = asked
    say.figures_of(latest, scope)
    day = spread(same_day(past_of(latest), history), MOST_POINTS)
    if len(day) < _FEWEST:
        raise RequestError(f"{latest.ticker} has no history of this day yet.", remedy="Try again in a minute.")
    rows = _with_gaps([(seconds_of(seen), say.levels(seen, scope, weight)) for seen in day])
    lines = tuple(
        Series(kind, name, tuple(finite(found.get(kind)) for _, found in rows)) for kind, name in say.MARKED.items()
    )
    if not any(value is not None for line in lines for value in line.values):
        raise RequestError(f"{latest.ticker} has no levels of this day.", remedy="Try another scope or weight.")
    return HistoryChart(
        title=f"{latest.ticker}  spot and levels of the day",
        subtitle=say.subtitle(scope if latest.scopes or latest.scope else None, weight),
        footer=say.footer(latest, now, f"{len(day)} snapshots shown"),
        times=tuple(at for at, _ in rows),
        series=lines,
        band=_morning_band(day),
        theme=theme,
    )


def days_chart(ticker: str, rows: Sequence[DayRow]) -> HistoryChart:
    """Closes over sessions, oldest first, one without a row as a gap; RequestError for fewer than two rows."""
    if len(rows) < _FEWEST:
        raise RequestError(f"There are too few past days of {ticker} for a picture.", remedy="It needs at least two.")
    by_day = {row.day: row for row in rows}
    days = tuple(_sessions(rows[0].day, rows[-1].day))
    seen = [by_day.get(day) for day in days]
    courses = {kind: [None if row is None else getattr(row, kind) for row in seen] for kind in say.MARKED}
    last = rows[-1]
    return HistoryChart(
        title=f"{ticker}  spot and levels over {len(days)} sessions",
        subtitle=say.subtitle(last.scope, last.weight),
        footer=f"{source_name(last.source)} · at the close\n{days[0]} to {days[-1]} · {len(rows)} sessions known",
        times=tuple(float(place) for place in range(len(days))),
        series=tuple(
            Series(kind, name, tuple(None if course is None else finite(course.close) for course in courses[kind]))
            for kind, name in say.MARKED.items()
        ),
        days=days,
    )


def _sessions(first: str, last: str) -> Iterator[str]:
    day: date | None = date_of(first)
    while day is not None and day.isoformat() <= last:
        yield day.isoformat()
        day = next_session(day).date


def _morning_band(day: Sequence[PastLevels]) -> Band | None:
    """As the levels that are graded: of the first snapshot from 09:35 on, where its straddle is of the day itself."""
    seen = [(seconds_of(one), day_of(one), say.band_of(one)) for one in day]
    fixed = [
        msgspec.structs.replace(band, begins=at)
        for at, today, band in seen
        if band is not None and band.expiry == today and at >= _FROZEN_FROM_S
    ]
    return fixed[0] if fixed else None


Row = tuple[float, dict[str, float | None]]


def _with_gaps(rows: list[Row]) -> list[Row]:
    """The rows with an empty one in every gap, so that no line is drawn across it."""
    times = [at for at, _ in rows]
    longest, usual = usual_gap_s(times), usual_distance_s(times)
    whole = rows[:1]
    for (before, _), row in pairwise(rows):
        if row[0] - before > longest:
            whole.append((before + usual, {}))
        whole.append(row)
    return whole


def _shown(chart: HistoryChart) -> str:
    lines = "; ".join(f"{one.name} {_course(one)}" for one in chart.series)
    if chart.days:
        return f"Closes from {chart.days[0]} to {chart.days[-1]}: {lines}."
    first, last = say.clock(chart.times[0]), say.clock(chart.times[-1])
    return f"From {first} to {last} New York: {lines}{say.band_in_words(chart.band)}."


def _course(line: Series) -> str:
    seen = [value for value in line.values if value is not None]
    if not seen:
        return "unknown"
    first, last, least, most = (level(line.kind, value) for value in (seen[0], seen[-1], min(seen), max(seen)))
    course = first if seen[0] == seen[-1] else f"{first} to {last}"
    return course if least == most else f"{course}, between {least} and {most}"


KIND: Final = ChartKind(
    name="history",
    words="spot against zero gamma and walls",
    record=HistoryChart,
    make=lambda latest, past, asked, _ahead: history_chart(latest, past, asked),
    shown=_shown,
    painter="history_painter.HistoryPainter",
    most_past=MOST_POINTS,
)
