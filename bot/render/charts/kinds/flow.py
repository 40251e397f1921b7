"""Signed flow of the streamed options over a session as a picture's contents. Pure."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from bot.render.charts.chart_words import MILLION, Asked, ChartWords, clock, dollars, footer
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.charts.session_times import day_of, same_day, seconds_of, spread, usual_gap_s
from bot.render.numbers import finite
from bot.render.origin_words import source_text
from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.errors import RequestError
from streaming.model import GexSnapshot, SignedFlow
from streaming.past import PastFlow, PastLevels, past_of

MOST_POINTS: Final = 240
"""Each holds five minutes, so that a session of them lacks none."""


class FlowChart(ChartWords, frozen=True, kw_only=True, tag="flow"):
    """What customers' trades left dealers with, in $ millions of delta; times in seconds since midnight in New York."""

    bars: tuple[tuple[float, float], ...]
    """(when a minute began, its flow)."""
    times: tuple[float, ...]
    totals: tuple[float | None, ...]
    """Since trades were seen; None where a line must not be drawn."""
    gamma: float | None = None
    """The day's, in $ millions per 1 % move."""


def flow_chart(latest: GexSnapshot, history: Sequence[PastLevels], asked: Asked) -> FlowChart:
    """The day of `latest` up to it, whatever scope and weight; RequestError without streamed options or minutes."""
    found = latest.signed_flow
    if found is None:
        raise RequestError(
            f"{latest.ticker} has no signed flow from {source_text(latest.source)}: none of its options are streamed.",
            remedy="The kind strikes needs less.",
        )
    day = same_day(past_of(latest), history)
    bars = _bars(day)
    if not bars:
        raise RequestError(f"{latest.ticker} has no whole minute of flow yet.", remedy="Try again in a minute.")
    line = _with_breaks([(seconds_of(seen), seen.signed_flow) for seen in spread(day, MOST_POINTS) if seen.signed_flow])
    return FlowChart(
        title=f"{latest.ticker}  signed flow",
        subtitle="dealers' delta · streamed strikes only",
        footer=footer(latest, asked.now, _note(found)),
        bars=bars,
        times=tuple(at for at, _ in line),
        totals=tuple(total for _, total in line),
        gamma=found.day.gamma_usd_per_1pct / MILLION,
        theme=asked.theme,
    )


def _note(found: SignedFlow) -> str:
    words = [] if found.seen is None else [f"{found.seen:.0%} of contracts seen"]
    return ", ".join([*words, *([] if found.day.unsure is None else [f"{found.day.unsure:.0%} unsure"])])


def _bars(day: Sequence[PastLevels]) -> tuple[tuple[float, float], ...]:
    """Every whole minute that one of the snapshots has, ascending; those of another day are left out."""
    today = day_of(day[-1])
    flows = (seen.signed_flow for seen in day if seen.signed_flow is not None)
    minutes = {at_ms: delta for flow in flows for at_ms, delta, _ in flow.minutes}
    local = ((new_york(instant_of(at_ms)), delta) for at_ms, delta in sorted(minutes.items()))
    return tuple(
        (at.hour * 3600.0 + at.minute * 60.0, delta / MILLION) for at, delta in local if at.date().isoformat() == today
    )


def _with_breaks(rows: Sequence[tuple[float, PastFlow]]) -> list[tuple[float, float | None]]:
    """The totals with an empty one wherever counting began anew or something is missing."""
    longest = usual_gap_s([at for at, _ in rows])
    line: list[tuple[float, float | None]] = [_point(rows[0])]
    for (before, flow), row in pairwise(rows):
        if flow.since_ms != row[1].since_ms or row[0] - before > longest:
            line.append((before, None))
        line.append(_point(row))
    return line


def _point(row: tuple[float, PastFlow]) -> tuple[float, float | None]:
    total = finite(row[1].day.delta_usd)
    return row[0], None if total is None else total / MILLION


def _shown(chart: FlowChart) -> str:
    highest, lowest = max(chart.bars, key=lambda bar: bar[1]), min(chart.bars, key=lambda bar: bar[1])
    return (
        f"{len(chart.bars)} minutes from {clock(chart.bars[0][0])} to {clock(chart.bars[-1][0])} New York, "
        f"most {dollars(highest[1])} at {clock(highest[0])}, least {dollars(lowest[1])} at {clock(lowest[0])}; "
        f"in all {dollars(chart.totals[-1])} of delta and {dollars(chart.gamma)} of gamma per 1 %."
    )


KIND: Final = ChartKind(
    name="flow",
    words="what dealers took on minute by minute, of streamed strikes",
    record=FlowChart,
    make=lambda latest, past, asked, _ahead: flow_chart(latest, past, asked),
    shown=_shown,
    painter="flow_painter.FlowPainter",
    most_past=MOST_POINTS,
    of_everything=True,
)
