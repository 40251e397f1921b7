"""Spot crosses a price that the reader names. Pure."""

from typing import Final

from bot.alerts.kinds.alert_kind import Firing, Kind, arrow
from bot.alerts.kinds.crossings import side_now
from bot.alerts.reading import Reading, against
from bot.alerts.rules import AlertKind
from bot.render.numbers import price


def _headline(firing: Firing, ticker: str) -> str:
    side = "above" if firing.up else "below"
    return f"{arrow(up=firing.up)} {ticker} crossed {side} {price(firing.reading.level)}"


KINDS: Final = (
    Kind(
        name=AlertKind.PRICE,
        choice="spot crosses a price (value)",
        needs_value="Give the price in points as `value`, such as 6400.",
        takes_value=True,
        fixed=True,
        read=lambda snapshot, _scope, _weight, _window: against(snapshot, snapshot.spot),
        against=lambda reading, value: Reading(reading.value, value, reading.up, reading.down),
        happening=lambda rule: f"spot crosses {price(rule.value)}",
        headline=_headline,
        now=side_now,
    ),
)
