"""The size of the max change exceeds a figure. Pure."""

from typing import Final

from bot.alerts.kinds.alert_kind import Firing, Kind, arrow, exposure
from bot.alerts.reading import Reading
from bot.alerts.rules import AlertKind, Window
from bot.render.numbers import UNKNOWN, finite, price
from streaming.figures import FIGURES
from streaming.model import GexSnapshot, ScopeName, WeightName

REARM_BELOW: Final = 0.9
"""A max change must fall below this part of its figure before it can exceed it again."""
_WINDOWS: Final = tuple(Window)
_FIGURE: Final = FIGURES["max_change"]
_SPANS: Final = {Window.CURRENT: "since the last snapshot"}


def _read(snapshot: GexSnapshot, _scope: ScopeName | None, _weight: WeightName, window: Window) -> Reading | None:
    position = _WINDOWS.index(window)
    if position >= len(snapshot.max_priors):
        return None
    strike, change = snapshot.max_priors[position]
    millions = finite(change)
    return None if millions is None else Reading(millions / 1000, 0.0, 0.0, 0.0, finite(strike))


def _against(reading: Reading, value: float) -> Reading:
    return Reading(abs(reading.value), value, 0.0, value * (1 - REARM_BELOW), reading.strike)


def _words(window: Window) -> str:
    return f"{_FIGURE.name} {_SPANS.get(window) or f'{window} min'}"


def _headline(firing: Firing, ticker: str) -> str:
    change = _signed_change(firing)
    strike = firing.reading.strike if isinstance(firing.reading, Reading) else None
    at = UNKNOWN if strike is None else price(strike)
    return f"{arrow(up=change >= 0)} {ticker} {_words(firing.rule.window)} {exposure(change)} at {at}"


def _signed_change(firing: Firing) -> float:
    """The change with the sign it had; a rule compares its size."""
    return (firing.snapshot.max_priors[_WINDOWS.index(firing.rule.window)][1] or 0.0) / 1000


def _now(_snapshot: GexSnapshot, reading: Reading) -> str:
    later = " That is beyond it already: you are told the next time." if reading.value >= reading.level else ""
    return f"Now {exposure(reading.value).removeprefix('+')} in size.{later}"


KINDS: Final = (
    Kind(
        name=AlertKind.MAX_CHANGE,
        choice=f"{_FIGURE.name} exceeds a figure (value)",
        weight=_FIGURE.weight,
        needs_value="Give the figure in billions of dollars per 1 % as `value`, such as 0.5.",
        takes_value=True,
        scoped=False,
        one_way=True,
        read=_read,
        against=_against,
        happening=lambda rule: f"{_words(rule.window)} exceeds ${rule.value:g}Bn per 1 %",
        headline=_headline,
        now=_now,
    ),
)
