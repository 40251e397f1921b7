"""Every kind of picture, how it is chosen, and how the bot and its chart worker speak of it. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

import msgspec

from bot.render.charts.expiries import ExpiriesChart, expiries_chart
from bot.render.charts.heatmap import MOST_COLUMNS, HeatmapChart, heatmap_chart
from bot.render.charts.history import MOST_POINTS, HistoryChart, history_chart
from bot.render.charts.profile import ProfileChart, profile_chart
from bot.render.charts.strikes import StrikesChart, strikes_chart
from streaming.model import GexSnapshot, ScopeName, WeightName
from streaming.past import PastLevels, PastSnapshot

Chart = StrikesChart | ProfileChart | HistoryChart | HeatmapChart | ExpiriesChart
ChartKind = Literal["strikes", "profile", "history", "heatmap", "expiries"]
ThemeName = Literal["dark", "light"]
KINDS: Final[tuple[ChartKind, ...]] = ("strikes", "profile", "history", "heatmap", "expiries")
OVER_TIME: Final[dict[ChartKind, int]] = {"history": MOST_POINTS, "heatmap": MOST_COLUMNS}
"""Kinds that are drawn from the day's history, and how many snapshots of it they can show."""


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """A finished picture."""

    png: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no picture."""

    reason: str


def chart_of(
    kind: ChartKind,
    latest: GexSnapshot,
    history: Sequence[PastLevels],
    *,
    scope: ScopeName,
    weight: WeightName,
    theme: ThemeName,
    now: datetime,
) -> Chart:
    """What a picture of this kind shows; RequestError when the snapshot or the history does not hold it."""
    match kind:
        case "strikes":
            return strikes_chart(latest, scope=scope, weight=weight, theme=theme, now=now)
        case "profile":
            return profile_chart(latest, scope=scope, weight=weight, theme=theme, now=now)
        case "expiries":
            return expiries_chart(latest, scope=scope, weight=weight, theme=theme, now=now)
        case "history":
            return history_chart(latest, history, scope=scope, weight=weight, theme=theme, now=now)
        case "heatmap":
            whole = [seen for seen in history if isinstance(seen, PastSnapshot)]
            return heatmap_chart(latest, whole, scope=scope, weight=weight, theme=theme, now=now)
