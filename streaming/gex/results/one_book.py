"""An index and its ETF as one book in index points, and where their levels meet (`specs/gex-method.md` §22). Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from streaming.errors import RequestError
from streaming.figures import read_levels
from streaming.gex.points.point_views import in_index_points
from streaming.gex.pricing.formulas import Floats
from streaming.gex.results.concentration import Concentration, concentrations
from streaming.gex.results.levels import Level, walls
from streaming.model import GexSnapshot, ScopeName, WeightName

_LEVELS: Final = ("zero_gamma", "call_wall", "put_wall")


class NamedLevel(NamedTuple):
    """A level of one of the parts, in index points."""

    ticker: str
    figure: str
    """Its name in `streaming.figures`."""
    price: float


class Confluence(NamedTuple):
    """Levels of different tickers within one strike step of each other."""

    price: float
    """Their mean."""
    levels: tuple[NamedLevel, ...]


@dataclass(frozen=True, slots=True)
class OneBook:
    """Dollars per 1 % add up whatever the instrument; strikes are those of the index."""

    tickers: tuple[str, ...]
    spot: float
    step: float
    """Points between two strikes of the index near spot: the width of a bin, and how near levels must be to meet."""
    net_gex_usd_per_1pct: float
    parts: tuple[tuple[str, float], ...]
    """Net of each ticker, $ per 1 %."""
    call_wall: Level | None
    put_wall: Level | None
    strongest: Concentration
    confluences: tuple[Confluence, ...]


def one_book(snapshots: Sequence[GexSnapshot], *, scope: ScopeName | None, weight: WeightName) -> OneBook:
    """The first snapshot is the index's, whose strikes the others' are binned to.

    Ladders reach 10 % from spot. RequestError where one cannot be had in index points or has no ladder.
    """
    seen = [in_index_points(snapshot) for snapshot in snapshots]
    ladders = [_ladder(snapshot, scope, weight) for snapshot in seen]
    index, spot = ladders[0], seen[0].spot
    if spot is None:
        raise RequestError(f"The spot of {seen[0].ticker} is unknown.", remedy="Try again in a moment.")
    step = strike_step([strike for strike, _ in index], spot)
    strikes, net = _binned(ladders, step)
    nets = [(snapshot.ticker, _net(snapshot, scope, weight)) for snapshot in seen]
    found = walls(strikes, np.stack((np.minimum(net, 0.0), np.maximum(net, 0.0)))[None], spot)[0]
    return OneBook(
        tickers=tuple(snapshot.ticker for snapshot in seen),
        spot=spot,
        step=step,
        net_gex_usd_per_1pct=sum(value for _, value in nets),
        parts=tuple(nets),
        call_wall=found.get("call_wall"),
        put_wall=found.get("put_wall"),
        strongest=concentrations(strikes, net[None])[0],
        confluences=meeting([level for snapshot in seen for level in _named(snapshot, scope, weight)], within=step),
    )


def strike_step(strikes: Sequence[float], spot: float) -> float:
    """The commonest distance of neighbours within 2 % of spot, of equally common ones the smallest."""
    near = np.array([strike for strike in strikes if abs(strike - spot) <= 0.02 * spot])
    steps, counts = np.unique(np.round(np.diff(near), 6), return_counts=True)
    return float(steps[counts.argmax()]) if steps.size else 1.0


def meeting(levels: Iterable[NamedLevel], *, within: float) -> tuple[Confluence, ...]:
    """Groups of levels of at least two tickers that lie within a distance of their lowest, ascending."""
    found: list[Confluence] = []
    group: list[NamedLevel] = []
    for level in sorted(levels, key=lambda level: level.price):
        if group and level.price - group[0].price > within:
            found += _met(group)
            group = []
        group.append(level)
    return tuple(found + _met(group))


def _met(group: Sequence[NamedLevel]) -> list[Confluence]:
    if len({level.ticker for level in group}) < 2:  # noqa: PLR2004  # one ticker does not meet itself
        return []
    return [Confluence(sum(level.price for level in group) / len(group), tuple(group))]


def _ladder(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> list[tuple[float, float]]:
    figures = snapshot.scopes.get(scope or snapshot.scope or "")
    if figures is None or not figures.ladder:
        raise RequestError(
            f"{snapshot.ticker} has no ladder in scope {scope or snapshot.scope}.",
            remedy="One book needs snapshots of our own engine.",
        )
    return [(strike, oi if weight == "oi" else vol) for strike, vol, oi in figures.ladder]


def _binned(ladders: Sequence[Sequence[tuple[float, float]]], step: float) -> tuple[Floats, Floats]:
    rows = np.array([row for ladder in ladders for row in ladder])
    bins, at = np.unique(np.round(rows[:, 0] / step).astype(np.int64), return_inverse=True)
    return bins.astype(np.float64) * step, np.bincount(at, rows[:, 1]).astype(np.float64)


def _net(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float:
    return read_levels(snapshot, scope, weight).net_gex_usd_per_1pct or 0.0


def _named(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> list[NamedLevel]:
    found = read_levels(snapshot, scope, weight)._asdict()
    return [NamedLevel(snapshot.ticker, name, found[name]) for name in _LEVELS if found[name] is not None]
