"""What the HTTP API says of a snapshot: one record for each kind of answer, and how it is read off. Pure.

The records are the contract (specs/http-api.md): fields are only ever added. null is unknown, never zero.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from streaming.clock import instant_of
from streaming.export.levels import level_prices, points_of
from streaming.figures import read_levels, stated_scope
from streaming.freshness import Freshness, data_age_s, freshness, is_stale
from streaming.gex.points.point_views import seen_in
from streaming.model import FILE_SOURCE, SIMULATED, GexSnapshot, Regime, ScopeName, ViewName, WeightName
from streaming.past import PastLevels
from streaming.symbols import parse_ticker

VERSION: Final = 1
"""Goes up when a field changes its meaning, which then has a path of its own (`/v2`)."""
Origin = Literal["live", "simulated", "file", "replay"]
Points = Annotated[float | None, Meta(description="Points; null is unknown: hide the line.")]
Version = Annotated[Literal[1], Meta(description="Of this shape. Fields are only ever added.")]
Symbol = Annotated[str, Meta(description="SPX, NDX, SPY, NQ_NDX, ES_SPX ...")]
Scope = Annotated[
    ScopeName | None,
    Meta(
        description="Which expiries are summed: zero, one, full (90 days) or all; null where the source does not say."
    ),
]
Weight = Annotated[WeightName, Meta(description="oi: open interest; vol: contracts traded today.")]
Source = Annotated[str, Meta(description="Who made the figures: schwab, cboe, gexbot, simulated, replay ...")]
Told = Annotated[
    Origin,
    Meta(description="live: of the market; simulated and file: made up, never trade on them; replay: of a recording."),
]
AsOf = Annotated[datetime, Meta(description="When the newest quote behind the figures was live, ISO 8601 in UTC.")]
AsOfMs = Annotated[int, Meta(description="The same in milliseconds since 1970 UTC.")]
Age = Annotated[
    float,
    Meta(description="Seconds from as_of, of a replay from its playing, to this answer; below 0 a clock is wrong."),
]
Stale = Annotated[
    bool,
    Meta(
        description="true: do not act on them as current. Older than 5 s (of a delayed source: half an hour), or worse."
    ),
]
Net = Annotated[float | None, Meta(description="Net gamma exposure, US dollars per 1 % move; + dampens, - amplifies.")]


class LevelPrices(msgspec.Struct, frozen=True, kw_only=True):
    """The levels to draw, each always there. null is unknown: hide the line."""

    zero_gamma: Points
    call_wall: Points
    put_wall: Points
    call_wall_gross: Points
    put_wall_gross: Points


class Levels(msgspec.Struct, frozen=True, kw_only=True):
    """The levels of one symbol by one scope and weight, with what a reader must know before acting on them."""

    version: Version = VERSION
    symbol: Symbol
    view: Annotated[ViewName, Meta(description="In whose points the prices are, as it was asked.")]
    points_of: Annotated[str, Meta(description="The instrument of those points: SPX, SPY, /ES.")]
    scope: Scope
    weight: Weight
    source: Source
    origin: Told
    delayed: Annotated[
        bool, Meta(description="Whether the source itself is behind the market, by 15 minutes as a rule.")
    ]
    as_of: AsOf
    as_of_ms: AsOfMs
    age_seconds: Age
    freshness: Annotated[Freshness, Meta(description="The age in a word.")]
    stale: Stale
    state: Annotated[
        Literal["live", "warming", "closing", "closed"],
        Meta(description="Of the market: near the close figures by gamma are unusable."),
    ]
    spot: Points
    levels: LevelPrices
    net_gex_usd_per_1pct: Net
    regime: Annotated[Regime | None, Meta(description="What the total means for moves; null where it is not known.")]


class PastPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The levels of one moment."""

    as_of_ms: AsOfMs
    spot: Points
    zero_gamma: Points
    call_wall: Points
    put_wall: Points
    net_gex_usd_per_1pct: Net


class History(msgspec.Struct, frozen=True, kw_only=True):
    """The levels of the newest day so far, in the symbol's own points, oldest first and evenly spread."""

    version: Version = VERSION
    symbol: Symbol
    scope: Scope
    weight: Weight
    source: Source
    origin: Told
    points: tuple[PastPoint, ...]


class SymbolState(msgspec.Struct, frozen=True, kw_only=True):
    """A symbol that is followed. Everything else is null until it has a snapshot."""

    symbol: Symbol
    source: Source | None = None
    origin: Told | None = None
    as_of_ms: AsOfMs | None = None
    age_seconds: Age | None = None
    stale: Stale | None = None


class Symbols(msgspec.Struct, frozen=True, kw_only=True):
    """What this program follows; other symbols are answered too while somebody else writes their snapshots."""

    version: Version = VERSION
    symbols: tuple[SymbolState, ...]


class ErrorAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Every answer that is none."""

    error: Annotated[str, Meta(description="One sentence for a person.")]
    code: Annotated[str, Meta(description="One word for a program; new ones may come.")]


def origin_of(snapshot: GexSnapshot) -> Origin:
    """Where figures come from: of a replay of what was made up, what was made up counts."""
    source = snapshot.source if snapshot.replay is None else snapshot.replay.of
    if source == SIMULATED:
        return "simulated"
    if source.startswith(FILE_SOURCE):
        return "file"
    return "live" if snapshot.replay is None else "replay"


def levels_of(
    snapshot: GexSnapshot, now: datetime, *, scope: ScopeName | None, weight: WeightName, view: ViewName
) -> Levels:
    """The contract; without a scope the snapshot's own.

    RequestError where the levels cannot be shown in the points of `view`.
    """
    ticker = parse_ticker(snapshot.ticker)
    seen = seen_in(snapshot, view, ticker)
    standing = snapshot.standing.get(weight) if scope in {None, snapshot.scope} else None
    return Levels(
        symbol=snapshot.ticker,
        view=view,
        points_of=points_of(snapshot, view, ticker),
        scope=scope or snapshot.scope,
        weight=weight,
        source=snapshot.source,
        origin=origin_of(snapshot),
        delayed=snapshot.delayed,
        as_of=instant_of(snapshot.asof_ms),
        as_of_ms=snapshot.asof_ms,
        age_seconds=data_age_s(snapshot, now),
        freshness=freshness(snapshot, now),
        stale=is_stale(snapshot, now),
        state=snapshot.state,
        spot=seen.spot,
        levels=LevelPrices(**level_prices(seen, scope, weight)),
        net_gex_usd_per_1pct=read_levels(seen, scope, weight).net_gex_usd_per_1pct,
        regime=None if standing is None else standing.regime,
    )


def history_of(
    latest: GexSnapshot, past: Iterable[PastLevels], *, scope: ScopeName | None, weight: WeightName
) -> History:
    """What the snapshots before `latest` said, in their order."""
    return History(
        symbol=latest.ticker,
        scope=scope or latest.scope,
        weight=weight,
        source=latest.source,
        origin=origin_of(latest),
        points=tuple(_past_point(seen, scope or latest.scope, weight) for seen in past),
    )


def _past_point(seen: PastLevels, scope: ScopeName | None, weight: WeightName) -> PastPoint:
    read = read_levels(seen, None if scope is None else stated_scope(seen, scope), weight)
    return PastPoint(as_of_ms=seen.asof_ms, spot=seen.spot, **read._asdict())


def symbol_state(symbol: str, snapshot: GexSnapshot | None, now: datetime) -> SymbolState:
    """A line of the list of symbols."""
    if snapshot is None:
        return SymbolState(symbol=symbol)
    return SymbolState(
        symbol=symbol,
        source=snapshot.source,
        origin=origin_of(snapshot),
        as_of_ms=snapshot.asof_ms,
        age_seconds=data_age_s(snapshot, now),
        stale=is_stale(snapshot, now),
    )
