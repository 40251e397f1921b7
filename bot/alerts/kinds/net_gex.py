"""Net GEX changes its sign. Pure."""

import math
from typing import Final

from bot.alerts.kinds.alert_kind import Firing, Kind, arrow, exposure
from bot.alerts.reading import Reading, ladder
from bot.alerts.rules import AlertKind, Window
from bot.render.numbers import finite
from streaming.figures import FIGURES, figures_of_scope, read_levels
from streaming.model import GexSnapshot, ScopeName, WeightName

SIGN_MARGIN: Final = 0.01
"""Of the gross exposure: a net nearer to zero has no sign worth a message (specs/gex-method.md §9, confidence)."""
_LEAST_SIGN_BN: Final = 0.001
_NAME: Final = FIGURES["net_gex"].name


def _read(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName, _window: Window) -> Reading | None:
    net = _net_bn(snapshot, scope, weight)
    if net is None:
        return None
    margin = max(_gross_bn(snapshot, scope, weight) * SIGN_MARGIN, _LEAST_SIGN_BN)
    return Reading(net, 0.0, margin, margin)


def _net_bn(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float | None:
    net = finite(read_levels(snapshot, scope, weight).net_gex_usd_per_1pct)
    return None if net is None else net / 1e9


def _gross_bn(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float:
    """The gross exposure, or where it is not given the sizes of the ladder's net values."""
    figures = figures_of_scope(snapshot, scope)
    gross = None if figures is None else finite(figures.by(weight).gross_gex_usd_per_1pct)
    if gross is not None:
        return gross / 1e9
    return sum(abs(value) for _, value in ladder(snapshot, scope, weight) if math.isfinite(value)) / 1000


def _headline(firing: Firing, ticker: str) -> str:
    by = " by OI" if firing.rule.weight == "oi" else ""
    sign = "positive" if firing.up else "negative"
    return f"{arrow(up=firing.up)} {ticker} {_NAME}{by} turned {sign}: {exposure(_value(firing))}"


def _value(firing: Firing) -> float:
    return firing.reading.value if isinstance(firing.reading, Reading) else 0.0


KINDS: Final = (
    Kind(
        name=AlertKind.NET_GEX,
        choice=f"{_NAME} changes sign",
        weight=FIGURES["net_gex"].weight,
        read=_read,
        happening=lambda _: f"{_NAME} changes sign",
        headline=_headline,
        now=lambda _, reading: f"Now {exposure(reading.value)}.",
    ),
)
