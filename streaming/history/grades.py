"""Did a morning's levels hold? Frozen once after the open, graded once after the close. Pure.

One rule for levels and baselines: *tested* is spot within 0.05 % of it, or across it between two snapshots; *held* is
no close of a 5-minute bar beyond it by more than 0.1 % in the 30 minutes after the first touch. *Beyond* is the side
that spot was not on when the level was frozen (`specs/history.md`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Final, Literal, NamedTuple, get_args

import msgspec

from streaming.calendar import NEW_YORK, TradingSession
from streaming.clock import epoch_ms
from streaming.figures import FIGURES, read_levels
from streaming.model import WEIGHTS, GexSnapshot, ScopeName, WeightFigures, WeightName

LevelName = Literal[
    "call_wall", "put_wall", "zero_gamma", "ladder_split", "call_wall_gross", "put_wall_gross", "call_wall_above",
    "put_wall_below", "expected_high", "expected_low",
]  # fmt: skip
BaselineName = Literal["round_above", "round_below", "previous_high", "previous_low"]
LEVELS: Final[tuple[LevelName, ...]] = get_args(LevelName)
BY_WEIGHT: Final = tuple(name for name in LEVELS if name in WeightFigures.__struct_fields__)
"""The others are of the quotes, not of anybody's positions."""
_ROWS: Final = {row.field: row.label or figure.name for figure in FIGURES.values() for row in figure.rows}
TITLES: Final[Mapping[LevelName | BaselineName, str]] = {
    **{name: _ROWS[name] for name in LEVELS if name in _ROWS},
    "expected_high": "expected high",
    "expected_low": "expected low",
    "round_above": "round strike above",
    "round_below": "round strike below",
    "previous_high": "previous high",
    "previous_low": "previous low",
}
FROZEN_FROM: Final = time(9, 35)
FROZEN_BY: Final = time(10, 0)
"""What is first seen later is not the morning's: that day is not graded."""
AFTER_CLOSE: Final = timedelta(minutes=30)
"""Delayed quotes of the close have come by then."""
_TOUCH: Final = 0.0005
_BREAK: Final = 0.001
_WATCHED_MS: Final = 30 * 60_000
_BAR_MS: Final = 5 * 60_000
_ROUND: Final = (1.0, 2.5, 5.0)
_ROUND_SHARE: Final = 0.01
"""Round strikes are 1, 2.5 or 5 times a power of ten apart: the largest such step up to this share of spot."""


class FrozenLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One level as it stood in the morning."""

    ticker: str
    day: str
    """ISO date in New York."""
    level: LevelName | BaselineName
    weight: WeightName | None = None
    """None for a baseline and for the expected move, as `scope`."""
    scope: ScopeName | None = None
    price: float
    spot: float
    """When it was frozen."""
    frozen_ms: int
    """Of the quotes."""
    source: str


class Grade(FrozenLevel, frozen=True, kw_only=True):
    """What became of it by the close."""

    touched_ms: int | None = None
    """The first touch; None where spot never came near, and the rest then says nothing."""
    held: bool | None = None
    """None while untested, and where quotes are missing in the half hour that decides."""
    broke_ms: int | None = None
    """End of the first 5-minute bar that closed beyond it."""
    beyond_pct: float | None = None
    """The farthest that spot went beyond it in the half hour after the touch, in percent of the level; 0 for not."""
    back_pct: float | None = None
    """The farthest that spot turned away from it in that half hour."""


class SpotAt(NamedTuple):
    """One price on the way through the day."""

    at_ms: int
    spot: float


def freezes(snapshot: GexSnapshot, session: TradingSession) -> bool:
    """Whether the morning's levels are those of this snapshot, if none before it were."""
    begin, end = (datetime.combine(session.date, hour, NEW_YORK) for hour in (FROZEN_FROM, FROZEN_BY))
    return snapshot.spot is not None and epoch_ms(begin) <= snapshot.asof_ms < epoch_ms(end)


def frozen_levels(
    snapshot: GexSnapshot, session: TradingSession, previous: tuple[float, float] | None
) -> tuple[FrozenLevel, ...]:
    """Every level of the published scope under both weights, what the straddle of the day expects, and the baselines.

    `previous` is high and low of the session before, where they are known.
    """
    spot = snapshot.spot
    if spot is None:
        return ()
    levels: list[tuple[LevelName | BaselineName, WeightName | None, float | None]] = []
    for weight in WEIGHTS:
        levels += [(name, weight, price) for name, price in _levels_of(snapshot, weight).items()]
    move = snapshot.expected_move
    if move is not None and move.expiry == session.date.isoformat():
        levels += [("expected_high", None, spot + move.straddle_points)]
        levels += [("expected_low", None, spot - move.straddle_points)]
    below, above = round_strikes(spot)
    levels += [("round_above", None, above), ("round_below", None, below)]
    if previous is not None:
        levels += [("previous_high", None, previous[0]), ("previous_low", None, previous[1])]
    return tuple(
        FrozenLevel(
            ticker=snapshot.ticker,
            day=session.date.isoformat(),
            level=name,
            weight=weight,
            scope=None if weight is None else snapshot.scope,
            price=price,
            spot=spot,
            frozen_ms=snapshot.asof_ms,
            source=snapshot.source,
        )
        for name, weight, price in levels
        if price is not None and price > 0
    )


def round_strikes(spot: float) -> tuple[float, float]:
    """The round strike below spot and the one above it: of SPX at 6395.25 those are 6350 and 6400."""
    largest = spot * _ROUND_SHARE
    power = 10.0 ** math.floor(math.log10(largest))
    step = max(times * power for times in _ROUND if times * power <= largest)
    above = (math.floor(spot / step) + 1) * step
    return (math.ceil(spot / step) - 1) * step, above


def grade(level: FrozenLevel, path: Sequence[SpotAt], session: TradingSession) -> Grade:
    """What a session's spot did to a level; `path` is ascending, and what comes before the freeze does not count."""
    close_ms = epoch_ms(session.close_at)
    after = [seen for seen in path if level.frozen_ms <= seen.at_ms <= close_ms]
    touched_ms = first_touch(level.price, after)
    same = {name: getattr(level, name) for name in FrozenLevel.__struct_fields__}
    if touched_ms is None:
        return Grade(**same)
    side = 1.0 if level.price >= level.spot else -1.0
    until_ms = touched_ms + _WATCHED_MS
    offsets = [side * (s.spot / level.price - 1.0) for s in after if touched_ms <= s.at_ms <= until_ms]
    closes = bar_closes(after, close_ms)
    due = _bars_between(touched_ms, min(until_ms, close_ms))
    broke_ms = next((end for end in due if end in closes and side * (closes[end] / level.price - 1.0) > _BREAK), None)
    whole = bool(due) and all(end in closes for end in due)
    return Grade(
        **same,
        touched_ms=touched_ms,
        held=False if broke_ms is not None else True if whole else None,
        broke_ms=broke_ms,
        beyond_pct=max([0.0, *offsets]) * 100.0,
        back_pct=max([0.0, *(-offset for offset in offsets)]) * 100.0,
    )


def first_touch(price: float, path: Sequence[SpotAt]) -> int | None:
    """When spot first came within 0.05 % of a price, or lay on its other side; None when it never did."""
    for before, seen in pairwise((path[0], *path) if path else ()):
        if abs(seen.spot - price) <= _TOUCH * price or (before.spot - price) * (seen.spot - price) < 0:
            return seen.at_ms
    return None


def bar_closes(path: Iterable[SpotAt], close_ms: int) -> dict[int, float]:
    """The last price of each 5-minute bar by the bar's end; a bar without a price is missing."""
    return {min(seen.at_ms // _BAR_MS * _BAR_MS + _BAR_MS, close_ms): seen.spot for seen in path}


def _bars_between(after_ms: int, until_ms: int) -> range:
    first = after_ms // _BAR_MS * _BAR_MS + _BAR_MS
    return range(first, until_ms + 1, _BAR_MS)


def _levels_of(snapshot: GexSnapshot, weight: WeightName) -> dict[LevelName, float | None]:
    seen = read_levels(snapshot, None, weight)
    own = snapshot.scopes.get(snapshot.scope) if snapshot.scope else None
    figures = WeightFigures() if own is None else own.by(weight)
    split = snapshot.ladder_split if own is None and weight == "vol" else figures.ladder_split
    return {
        "call_wall": seen.call_wall,
        "put_wall": seen.put_wall,
        "zero_gamma": None if own is None else seen.zero_gamma,
        "ladder_split": split,
        "call_wall_gross": figures.call_wall_gross,
        "put_wall_gross": figures.put_wall_gross,
        "call_wall_above": figures.call_wall_above,
        "put_wall_below": figures.put_wall_below,
    }
