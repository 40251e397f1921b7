"""What changed at one strike exceeds a figure: by trades, or where these are not told the max change. Pure."""

from typing import Final, NamedTuple

from bot.alerts.kinds.alert_kind import Firing, Kind, arrow, exposure
from bot.alerts.reading import Reading
from bot.alerts.rules import AlertKind, Window
from bot.render.numbers import UNKNOWN, finite, strike
from streaming.figures import FIGURES
from streaming.model import GexSnapshot, ScopeName, WeightName

REARM_BELOW: Final = 0.9
"""A change must fall below this part of its figure before it can exceed it again."""
_WINDOWS: Final = tuple(Window)
_SPANS: Final = {Window.CURRENT: "since the last snapshot"}


class StrikeChange(NamedTuple):
    """The largest at one strike, signed; None is not known."""

    bn: float | None = None
    strike: float | None = None

    @property
    def words(self) -> str:
        """Exposure and place: `+$0.500Bn per 1 % at 6400`."""
        at = UNKNOWN if self.strike is None else strike(self.strike)
        return UNKNOWN if self.bn is None else f"{exposure(self.bn)} at {at}"


def flow_in(snapshot: GexSnapshot, window: Window) -> StrikeChange:
    """By trades alone."""
    own = next((flow for flow in snapshot.flow if flow.span == window), None)
    dollars = None if own is None else finite(own.strike_usd_per_1pct)
    return StrikeChange() if own is None or dollars is None else StrikeChange(dollars / 1e9, finite(own.strike))


def max_change_in(snapshot: GexSnapshot, window: Window) -> StrikeChange:
    """The classic one, re-pricing by spot and time included."""
    position = _WINDOWS.index(window)
    strike, change = snapshot.max_priors[position] if position < len(snapshot.max_priors) else (None, None)
    millions = finite(change)
    return StrikeChange() if millions is None else StrikeChange(millions / 1000, finite(strike))


def span_words(figure: str, window: Window) -> str:
    """A figure of changes over a window: `flow 5 min`."""
    return f"{FIGURES[figure].name} {_SPANS.get(window) or f'{window} min'}"


def _found(snapshot: GexSnapshot, window: Window) -> StrikeChange:
    """By trades where the producer tells volume by strike, if only since its start; never the one for the other."""
    return flow_in(snapshot, window) if snapshot.flow else max_change_in(snapshot, window)


def _caveat(snapshot: GexSnapshot) -> str:
    return "" if snapshot.flow else "no volume by strike"


def _read(snapshot: GexSnapshot, _scope: ScopeName | None, _weight: WeightName, window: Window) -> Reading | None:
    found = _found(snapshot, window)
    return None if found.bn is None else Reading(found.bn, 0.0, 0.0, 0.0, found.strike)


def _against(reading: Reading, value: float) -> Reading:
    return Reading(abs(reading.value), value, 0.0, value * (1 - REARM_BELOW), reading.strike)


def _headline(firing: Firing, ticker: str) -> str:
    snapshot, window = firing.snapshot, firing.rule.window
    found = _found(snapshot, window)
    words = span_words("flow" if snapshot.flow else "max_change", window)
    return f"{arrow(up=(found.bn or 0.0) >= 0)} {ticker} {words} {found.words}"


def _now(snapshot: GexSnapshot, reading: Reading) -> str:
    caveat = _caveat(snapshot)
    how = f", by {FIGURES['max_change'].name} ({caveat})" if caveat else ""
    later = " That is already beyond it; you will be told next time." if reading.value >= reading.level else ""
    return f"Now {exposure(reading.value).removeprefix('+')} in size{how}.{later}"


KINDS: Final = (
    Kind(
        name=AlertKind.MAX_CHANGE,
        choice=f"{FIGURES['flow'].name} at a strike exceeds a figure (value)",
        weight=FIGURES["flow"].weight,
        needs_value="Give the figure in billions of dollars per 1 % as `value`, such as 0.5.",
        takes_value=True,
        windowed=True,
        scoped=False,
        one_way=True,
        read=_read,
        against=_against,
        happening=lambda rule: f"{span_words('flow', rule.window)} exceeds ${rule.value:g}Bn per 1 % at a strike",
        headline=_headline,
        now=_now,
        caveat=_caveat,
    ),
)
