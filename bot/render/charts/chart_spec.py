"""Every kind of picture, how it is chosen, and how the bot and its chart worker speak of it. Pure."""

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final, Literal

import msgspec

from bot.render.charts.chart_words import Asked, ChartWords
from bot.render.charts.kinds import ahead, expiries, flow, heatmap, history, ladder, profile, strikes
from bot.render.charts.kinds.chart_kind import ChartKind
from bot.render.message_form import FIELD_CHARS
from streaming.day_map import DayMap
from streaming.model import GexSnapshot
from streaming.past import PastLevels

Chart = ChartWords
"""Of any kind."""
ThemeName = Literal["dark", "light"]
KINDS: Final[Mapping[str, ChartKind]] = {
    module.KIND.name: module.KIND for module in (strikes, ladder, profile, history, heatmap, expiries, ahead, flow)
}
"""Commands, buttons, pictures in words and the worker know the kinds from here; the first is the usual one."""
_OF_RECORD: Final = {kind.record: kind for kind in KINDS.values()}


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """A finished picture."""

    png: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no picture."""

    reason: str


def chart_of(
    kind: str, latest: GexSnapshot, past: Sequence[PastLevels], asked: Asked, day_map: DayMap | None = None
) -> Chart:
    """What a picture of this kind shows; RequestError when snapshot, history or map do not hold it."""
    return KINDS[kind].make(latest, past, asked, day_map)


def kind_of(chart: Chart) -> ChartKind:
    """The kind that made a chart."""
    return _OF_RECORD[type(chart)]


def chart_decoder() -> msgspec.msgpack.Decoder[Chart]:
    """Reads a chart of any kind."""
    records: Any = reduce(or_, _OF_RECORD)
    return msgspec.msgpack.Decoder(records)


def alt_text(chart: Chart) -> str:
    """What the chart shows, then whose figures they are and of when."""
    source = chart.footer.replace("\n", ", ").replace(" · ", ", ")
    shown = kind_of(chart).shown(chart)
    text = f"{chart.title.replace('  ', ': ')}, {chart.subtitle.replace(' · ', ', ')}. {shown} {source}."
    return text[:FIELD_CHARS]
