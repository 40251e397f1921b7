"""A wall moves to another strike. Pure."""

from typing import Final

from bot.alerts.kinds.alert_kind import Firing, Kind
from bot.alerts.reading import WallReading, ladder
from bot.alerts.rules import AlertKind, Rule, Window
from bot.render.numbers import finite, price, strike
from streaming.figures import FIGURES, read_levels
from streaming.model import GexSnapshot, ScopeName, WeightName


def _move(name: AlertKind, figure: str) -> Kind:
    wall = FIGURES[figure].name

    def read(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName, _window: Window) -> WallReading | None:
        level = finite(getattr(read_levels(snapshot, scope, weight), figure))
        return None if level is None else _wall_reading(snapshot, level, scope, weight)

    def happening(rule: Rule) -> str:
        least = "" if rule.value is None else f" by {rule.value:g} points or more"
        return f"the {wall} moves{least}"

    def headline(firing: Firing, ticker: str) -> str:
        basis = firing.reading.basis if isinstance(firing.reading, WallReading) else 0.0
        was, now = strike((firing.before.level or 0.0) + basis), strike(firing.reading.level + basis)
        return f"↔ {ticker} {wall} moved {was} → {now}"

    return Kind(
        name=name,
        choice=f"the {wall} moves",
        takes_value=True,
        read=read,
        happening=happening,
        headline=headline,
        now=_now,
    )


def _now(snapshot: GexSnapshot, reading: WallReading) -> str:
    return f"Now at {strike(reading.level + reading.basis)}, spot {price(snapshot.spot)}."


def _wall_reading(snapshot: GexSnapshot, level: float, scope: ScopeName | None, weight: WeightName) -> WallReading:
    basis = snapshot.basis or 0.0
    strikes = {round(listed - basis, 3): value for listed, value in ladder(snapshot, scope, weight)}
    return WallReading(round(level - basis, 3), basis, strikes)


KINDS: Final = (
    _move(AlertKind.CALL_WALL_MOVES, "call_wall"),
    _move(AlertKind.PUT_WALL_MOVES, "put_wall"),
)
