"""What a rule compares: a figure, a level and margins, read off a snapshot. Missing is None, never zero. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.alerts.rules import AlertKind, Rule, Window
from streaming.errors import RequestError
from streaming.figures import read_levels
from streaming.model import GexSnapshot, ScopeName, WeightFigures, WeightName
from streaming.symbols import parse_ticker

SPOT_MARGIN: Final = 0.0002
"""0.02 % of spot: 1.3 points of SPX at 6,400, 5 of NDX at 25,000, 0.13 of SPY at 640."""
LEAST_TICKS: Final = 2
_TICK: Final = 0.01
_FUTURES_TICK: Final = 0.25
SIGN_MARGIN: Final = 0.01
"""Of the gross exposure: a net nearer to zero has no sign worth a message (specs/gex-method.md §9, confidence)."""
REARM_BELOW: Final = 0.9
"""A max change must fall below this part of its figure before it can exceed it again."""
SAME_WALL: Final = 0.05
"""Two strikes whose values differ by less are one wall that flickers (specs/gex-method.md §8)."""
_LEAST_SIGN_BN: Final = 0.001
_WINDOWS: Final = tuple(Window)


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure and the level it is held against; it is above from `level + up` on and below from `level - down` on."""

    value: float
    level: float
    up: float
    down: float
    strike: float | None = None
    """Where the max change is."""


@dataclass(frozen=True, slots=True)
class WallReading:
    """A wall's strike in the underlying's points, so that a drifting basis is no move, and what strikes are worth."""

    level: float
    basis: float
    """Points to add for the level that readers know."""
    strikes: dict[float, float]

    def rivals(self, other: float) -> bool:
        """Whether another strike is so nearly the wall that its moving there would be noise."""
        mine, its = self.strikes.get(self.level), self.strikes.get(other)
        return mine is not None and its is not None and mine * its > 0 and abs(its) >= abs(mine) * (1 - SAME_WALL)


Key = tuple[AlertKind, ScopeName | None, WeightName, Window]


def key_of(rule: Rule) -> Key:
    """Rules with the same key read the same figures, so they are read once."""
    return rule.kind, rule.scope, rule.weighted_by, rule.window


def spot_margin(snapshot: GexSnapshot) -> float:
    """How far spot must be on the other side of a level before that counts."""
    return max((snapshot.spot or 0.0) * SPOT_MARGIN, LEAST_TICKS * _tick(snapshot.ticker))


def read(snapshot: GexSnapshot, key: Key) -> Reading | WallReading | None:
    """The reading of every rule with this key; `with_value` makes it the reading of one rule."""
    kind, scope, weight, window = key
    match kind:
        case AlertKind.PRICE:
            return _against(snapshot, snapshot.spot)
        case AlertKind.ZERO_GAMMA:
            return _against(snapshot, _known(read_levels(snapshot, scope, weight).zero_gamma))
        case AlertKind.CALL_WALL | AlertKind.PUT_WALL:
            return _against(snapshot, _wall(snapshot, kind is AlertKind.CALL_WALL, scope, weight))
        case AlertKind.CALL_WALL_MOVES | AlertKind.PUT_WALL_MOVES:
            level = _wall(snapshot, kind is AlertKind.CALL_WALL_MOVES, scope, weight)
            return None if level is None else _wall_reading(snapshot, level, scope, weight)
        case AlertKind.NET_GEX:
            return _sign(snapshot, scope, weight)
        case AlertKind.MAX_CHANGE:
            return _max_change(snapshot, window)


def with_value(reading: Reading, rule: Rule) -> Reading:
    """The reading against the rule's own price or figure, if it has one."""
    if rule.value is None:
        return reading
    if rule.kind is AlertKind.PRICE:
        return Reading(reading.value, rule.value, reading.up, reading.down)
    down = rule.value * (1 - REARM_BELOW)
    return Reading(abs(reading.value), rule.value, 0.0, down, reading.strike)


def _against(snapshot: GexSnapshot, level: float | None) -> Reading | None:
    spot = _known(snapshot.spot)
    if spot is None or level is None:
        return None
    margin = spot_margin(snapshot)
    return Reading(spot, level, margin, margin)


def _sign(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> Reading | None:
    net = _net_bn(snapshot, scope, weight)
    if net is None:
        return None
    margin = max(_gross_bn(snapshot, scope, weight) * SIGN_MARGIN, _LEAST_SIGN_BN)
    return Reading(net, 0.0, margin, margin)


def _max_change(snapshot: GexSnapshot, window: Window) -> Reading | None:
    position = _WINDOWS.index(window)
    if position >= len(snapshot.max_priors):
        return None
    strike, change = snapshot.max_priors[position]
    known = _known(change)
    return None if known is None else Reading(known / 1000, 0.0, 0.0, 0.0, _known(strike))


def _figures(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> WeightFigures | None:
    """The figures of a stated scope, or of the snapshot's own; None where the producer gives none."""
    name = scope or snapshot.scope
    found = None if name is None else snapshot.scopes.get(name)
    return None if found is None else found.oi if weight == "oi" else found.vol


def _is_own(snapshot: GexSnapshot, scope: ScopeName | None) -> bool:
    """Whether the classic fields speak of the scope meant."""
    return scope is None or scope == snapshot.scope


def _wall(snapshot: GexSnapshot, call: bool, scope: ScopeName | None, weight: WeightName) -> float | None:
    levels = read_levels(snapshot, scope, weight)
    return _known(levels.call_wall if call else levels.put_wall)


def _net_bn(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float | None:
    net = _known(read_levels(snapshot, scope, weight).net_gex_usd_per_1pct)
    return None if net is None else net / 1e9


def _gross_bn(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float:
    """The gross exposure, or where it is not given the sizes of the ladder's net values."""
    figures = _figures(snapshot, scope, weight)
    gross = None if figures is None else _known(figures.gross_gex_usd_per_1pct)
    if gross is not None:
        return gross / 1e9
    return sum(abs(value) for _, value in _ladder(snapshot, scope, weight) if math.isfinite(value)) / 1000


def _wall_reading(snapshot: GexSnapshot, level: float, scope: ScopeName | None, weight: WeightName) -> WallReading:
    basis = snapshot.basis or 0.0
    strikes = {round(strike - basis, 3): value for strike, value in _ladder(snapshot, scope, weight)}
    return WallReading(round(level - basis, 3), basis, strikes)


def _ladder(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> Iterable[tuple[float, float]]:
    """Strikes and their net values in $ millions per 1 %; empty where the producer gives none for the scope."""
    name = scope or snapshot.scope
    figures = None if name is None else snapshot.scopes.get(name)
    if figures is not None and figures.ladder:
        return [(row[0], (row[2] if weight == "oi" else row[1]) / 1e6) for row in figures.ladder]
    rows = snapshot.strikes if _is_own(snapshot, scope) else ()
    return [(row[0], (row[2] if weight == "oi" else row[1]) or 0.0) for row in rows]


def _tick(ticker: str) -> float:
    try:
        return _FUTURES_TICK if parse_ticker(ticker).future else _TICK
    except RequestError:
        return _TICK


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
