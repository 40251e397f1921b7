"""Spot crosses a level: zero gamma, a wall, or a price that the reader names. Pure."""

from typing import Final

from bot.alerts.kinds.alert_kind import Firing, Kind, arrow
from bot.alerts.reading import Reading, against
from bot.alerts.rules import AlertKind, Window
from bot.render.numbers import finite, price, strike
from streaming.figures import FIGURES, read_levels
from streaming.model import GexSnapshot, ScopeName, WeightName


def _side_now(reading: Reading, level: str) -> str:
    """On which side of its level, as it is written, spot is."""
    side = "above" if reading.value >= reading.level else "below"
    return f"Now spot {price(reading.value)} is {side} {level}."


def _crossing(name: AlertKind, figure: str, article: str = "") -> Kind:
    level, told = f"{article}{FIGURES[figure].name}", price if figure == "zero_gamma" else strike

    def read(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName, _window: Window) -> Reading | None:
        return against(snapshot, finite(getattr(read_levels(snapshot, scope, weight), figure)))

    def headline(firing: Firing, ticker: str) -> str:
        start, side = f"{arrow(up=firing.up)} {ticker}", "above" if firing.up else "below"
        if not firing.before.by_level:
            return f"{start} crossed {side} {level} {told(firing.reading.level)}"
        return f"{start} is {side} {level}, which moved {told(firing.before.level)} → {told(firing.reading.level)}"

    words = f"spot crosses {level}"
    return Kind(
        name=name,
        choice=words,
        read=read,
        happening=lambda _: words,
        headline=headline,
        now=lambda _, reading: _side_now(reading, told(reading.level)),
    )


def _crossed_price(firing: Firing, ticker: str) -> str:
    side = "above" if firing.up else "below"
    return f"{arrow(up=firing.up)} {ticker} crossed {side} {strike(firing.reading.level)}"


KINDS: Final = (
    _crossing(AlertKind.ZERO_GAMMA, "zero_gamma"),
    _crossing(AlertKind.CALL_WALL, "call_wall", "the "),
    _crossing(AlertKind.PUT_WALL, "put_wall", "the "),
    Kind(
        name=AlertKind.PRICE,
        choice="spot crosses a price (value)",
        needs_value="Give the price in points as `value`, such as 6400.",
        takes_value=True,
        fixed=True,
        read=lambda snapshot, _scope, _weight, _window: against(snapshot, snapshot.spot),
        against=lambda reading, value: Reading(reading.value, value, reading.up, reading.down),
        happening=lambda rule: f"spot crosses {strike(rule.value)}",
        headline=_crossed_price,
        now=lambda _, reading: _side_now(reading, strike(reading.level)),
    ),
)
