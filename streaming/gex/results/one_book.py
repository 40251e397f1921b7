"""An index and its ETF as one book in index points, and where their levels meet (`specs/gex-method.md` §22). Pure.

The bot makes it of snapshots when somebody asks: some hundred strikes, for which it does without numpy.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import pairwise
from typing import Final, NamedTuple

from streaming.errors import RequestError
from streaming.figures import read_levels
from streaming.gex.points.point_views import in_index_points
from streaming.model import GexSnapshot, ScopeName, TopStrike, WeightName

_LEVELS: Final = ("zero_gamma", "call_wall", "put_wall")
_STRONGEST: Final = 5
Rung = tuple[float, float]
"""(strike, its net gex in $ per 1 %)."""


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
    call_wall: Rung | None
    put_wall: Rung | None
    strongest: tuple[TopStrike, ...]
    """At most five, strongest first."""
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
    book = _binned(ladders, step)
    nets = [(snapshot.ticker, _net(snapshot, scope, weight)) for snapshot in seen]
    return OneBook(
        tickers=tuple(snapshot.ticker for snapshot in seen),
        spot=spot,
        step=step,
        net_gex_usd_per_1pct=sum(value for _, value in nets),
        parts=tuple(nets),
        call_wall=_wall(book, spot, side=1.0),
        put_wall=_wall(book, spot, side=-1.0),
        strongest=_strongest(book),
        confluences=meeting([level for snapshot in seen for level in _named(snapshot, scope, weight)], within=step),
    )


def strike_step(strikes: Sequence[float], spot: float) -> float:
    """The commonest distance of neighbours within 2 % of spot, of equally common ones the smallest."""
    near = [strike for strike in strikes if abs(strike - spot) <= 0.02 * spot]
    steps = Counter(round(upper - lower, 6) for lower, upper in pairwise(near))
    return min(steps, key=lambda step: (-steps[step], step), default=1.0)


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


def _ladder(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> list[Rung]:
    figures = snapshot.scopes.get(scope or snapshot.scope or "")
    if figures is None or not figures.ladder:
        raise RequestError(
            f"{snapshot.ticker} has no ladder in scope {scope or snapshot.scope}.",
            remedy="One book needs snapshots of our own engine.",
        )
    return [(strike, oi if weight == "oi" else vol) for strike, vol, oi in figures.ladder]


def _binned(ladders: Iterable[Iterable[Rung]], step: float) -> list[Rung]:
    bins: defaultdict[int, float] = defaultdict(float)
    for ladder in ladders:
        for strike, net in ladder:
            bins[round(strike / step)] += net
    return [(at * step, bins[at]) for at in sorted(bins)]


def _wall(book: Iterable[Rung], spot: float, *, side: float) -> Rung | None:
    """The largest net of a sign; ties go nearer to spot, then to the lower strike, as in the engine's walls."""
    tallest = max(book, key=lambda rung: (side * rung[1], -abs(rung[0] - spot), -rung[0]))
    return tallest if side * tallest[1] > 0.0 else None


def _strongest(book: Sequence[Rung]) -> tuple[TopStrike, ...]:
    """Of equal ones the lower strike first."""
    whole = sum(abs(net) for _, net in book)
    top = nsmallest(_STRONGEST, book, key=lambda rung: -abs(rung[1]))
    return tuple((strike, net, abs(net) / whole) for strike, net in top if net != 0.0)


def _net(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> float:
    return read_levels(snapshot, scope, weight).net_gex_usd_per_1pct or 0.0


def _named(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> list[NamedLevel]:
    found = read_levels(snapshot, scope, weight)._asdict()
    return [NamedLevel(snapshot.ticker, name, found[name]) for name in _LEVELS if found[name] is not None]
