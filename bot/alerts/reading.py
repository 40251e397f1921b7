"""What a rule compares: a figure, a level and margins, read off a snapshot. Missing is None, never zero. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bot.render.numbers import finite
from streaming.errors import RequestError
from streaming.figures import figures_of_scope
from streaming.model import GexSnapshot, ScopeName, WeightName
from streaming.symbols import parse_ticker

SPOT_MARGIN: Final = 0.0002
"""0.02 % of spot: 1.3 points of SPX at 6,400, 5 of NDX at 25,000, 0.13 of SPY at 640."""
LEAST_TICKS: Final = 2
_TICK: Final = 0.01
_FUTURES_TICK: Final = 0.25
SAME_WALL: Final = 0.05
"""Two strikes whose values differ by less are one wall that flickers (specs/gex-method.md §8)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure and the level it is held against; it is above from `level + up` on and below from `level - down` on."""

    value: float
    level: float
    up: float
    down: float
    strike: float | None = None
    """Where the change is."""


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


def spot_margin(snapshot: GexSnapshot) -> float:
    """How far spot must be on the other side of a level before that counts."""
    return max((snapshot.spot or 0.0) * SPOT_MARGIN, LEAST_TICKS * _tick(snapshot.ticker))


def against(snapshot: GexSnapshot, level: float | None) -> Reading | None:
    """Spot held against a level, with a margin on both sides."""
    spot = finite(snapshot.spot)
    if spot is None or level is None:
        return None
    margin = spot_margin(snapshot)
    return Reading(spot, level, margin, margin)


def ladder(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> Iterable[tuple[float, float]]:
    """Strikes and their net values in $ millions per 1 %; empty where the producer gives none for the scope."""
    figures = figures_of_scope(snapshot, scope)
    if figures is not None and figures.ladder:
        return [(row[0], (row[2] if weight == "oi" else row[1]) / 1e6) for row in figures.ladder]
    rows = snapshot.strikes if scope in {None, snapshot.scope} else ()
    return [(row[0], (row[2] if weight == "oi" else row[1]) or 0.0) for row in rows]


def _tick(ticker: str) -> float:
    try:
        return _FUTURES_TICK if parse_ticker(ticker).future else _TICK
    except RequestError:
        return _TICK
