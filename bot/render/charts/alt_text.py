"""Pictures in words, for whoever cannot see them: what is drawn, with its figures. Pure."""

from typing import Final

from bot.render.charts.chart_spec import Chart
from bot.render.charts.chart_words import Mark
from bot.render.charts.expiries import ExpiriesChart
from bot.render.charts.heatmap import HeatmapChart
from bot.render.charts.history import HistoryChart, Series
from bot.render.charts.profile import ProfileChart
from bot.render.charts.strikes import StrikesChart
from bot.render.numbers import bn, price

_LIMIT: Final = 1024
"""Discord's longest description of an attachment."""
_MOST_FLIPS: Final = 6
_ARROWS: Final = {1: "upwards", -1: "downwards"}


def alt_text(chart: Chart) -> str:
    """What the chart shows, then whose figures they are and of when."""
    source = chart.footer.replace("\n", ", ").replace(" · ", ", ")
    text = f"{chart.title.replace('  ', ': ')}, {chart.subtitle.replace(' · ', ', ')}. {_shown(chart)} {source}."
    return text[:_LIMIT]


def _shown(chart: Chart) -> str:
    match chart:
        case StrikesChart():
            return f"Net {_dollars(chart.net)}{_extremes(chart.bars)}, {_levels(chart.marks)}."
        case ProfileChart():
            return f"{_profile(chart)}, {_levels(chart.marks)}. {_flips(chart)}"
        case HistoryChart():
            return f"From {_clock(chart.times[0])} to {_clock(chart.times[-1])} New York: {_lines(chart.series)}."
        case HeatmapChart():
            return f"{_heatmap(chart)}, {_levels(chart.marks)}."
        case ExpiriesChart():
            return f"Net {_dollars(chart.net)}: {', '.join(f'{name} {_dollars(value)}' for name, value in chart.rows)}."


def _levels(marks: tuple[Mark, ...]) -> str:
    return ", ".join(f"{mark.name} {price(mark.value)}" for mark in marks) or "no levels"


def _extremes(bars: tuple[tuple[float, float], ...]) -> str:
    highest, lowest = max(bars, key=lambda bar: bar[1]), min(bars, key=lambda bar: bar[1])
    most = f", most positive {_dollars(highest[1])} at {highest[0]:g}" if highest[1] > 0 else ""
    least = f", most negative {_dollars(lowest[1])} at {lowest[0]:g}" if lowest[1] < 0 else ""
    return most + least


def _profile(chart: ProfileChart) -> str:
    first, last = chart.points[0], chart.points[-1]
    ends = [f"{_dollars(value)} at {price(level)}" for level, value in (first, last)]
    return f"From {' to '.join(ends)}, at spot {_dollars(chart.net)}"


def _flips(chart: ProfileChart) -> str:
    if not chart.flips:
        return "The total changes sign nowhere."
    named = [f"{price(level)} {_ARROWS.get(way, '')}".strip() for level, way in chart.flips[:_MOST_FLIPS]]
    rest = len(chart.flips) - len(named)
    return f"The sign changes at {', '.join(named)}{f' and {rest} more' if rest else ''}."


def _lines(series: tuple[Series, ...]) -> str:
    return "; ".join(f"{one.name} {_course(one.values)}" for one in series)


def _course(values: tuple[float | None, ...]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "unknown"
    course = price(known[0]) if known[0] == known[-1] else f"{price(known[0])} to {price(known[-1])}"
    if min(known) == max(known):
        return course
    return f"{course}, between {price(min(known))} and {price(max(known))}"


def _heatmap(chart: HeatmapChart) -> str:
    newest = chart.columns[-1]
    by_volume = chart.weight == "vol"
    rows = [(row.strike, row.vol if by_volume else row.oi) for row in newest.strikes]
    known = tuple((strike, value) for strike, value in rows if value is not None)
    span = f"{len(chart.columns)} times from {_clock(chart.columns[0].begins)} to {_clock(newest.begins)} New York"
    reach = f", strikes {known[0][0]:g} to {known[-1][0]:g}{_extremes(known)}" if known else ""
    return f"{span}, at last net {_dollars(chart.net)}{reach}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}"


def _dollars(millions: float | None) -> str:
    return bn(None if millions is None else millions / 1000)
