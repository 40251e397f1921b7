"""What a day was, per scope and weight: open, high, low and close of every figure. Pure.

A day is a session: only quotes from its open to its close count. Prices in points, exposures in US dollars per 1 %
move, shares in percent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from streaming.calendar import TradingSession
from streaming.clock import epoch_ms
from streaming.figures import read_levels
from streaming.model import SCOPES, WEIGHTS, GexSnapshot, ScopeName, WeightName

_EDGE_MS: Final = 15 * 60_000


class Course(msgspec.Struct, frozen=True):
    """How one figure went through a session."""

    open: float
    high: float
    low: float
    close: float


class DayRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session of one ticker, scope and weight; a figure that was never known is None."""

    ticker: str
    day: str
    """ISO date in New York."""
    scope: ScopeName | None
    """None where the producer does not say what it sums over."""
    weight: WeightName
    published: bool
    """Whether this is the scope of the live message."""
    source: str
    """Of the last snapshot."""
    snapshots: int
    first_ms: int
    last_ms: int
    whole: bool
    """Whether it reaches from the first quarter of an hour of the session to the last; no others count in ranks."""
    spot: Course
    realised_range_pct: float
    """(highest - lowest) / first spot, in percent."""
    net_gex: Course | None = None
    gross_gex: Course | None = None
    distance_pct: Course | None = None
    """(spot - zero gamma) / spot in percent; + is spot above."""
    zero_gamma: Course | None = None
    call_wall: Course | None = None
    put_wall: Course | None = None


class ScopeReading(NamedTuple):
    """The figures of one snapshot under one scope and weight."""

    net_gex: float | None
    gross_gex: float | None
    distance_pct: float | None
    zero_gamma: float | None
    call_wall: float | None
    put_wall: float | None


def reading_of(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> ScopeReading:
    """What a snapshot says of a scope; None is the one that its classic block sums over."""
    levels = read_levels(snapshot, scope, weight)
    name = scope or snapshot.scope
    own = None if name is None else snapshot.scopes.get(name)
    figures = None if own is None else own.by(weight)
    spot, zero = snapshot.spot, levels.zero_gamma
    return ScopeReading(
        net_gex=levels.net_gex_usd_per_1pct,
        gross_gex=None if figures is None else figures.gross_gex_usd_per_1pct,
        distance_pct=None if not spot or zero is None else (spot - zero) / spot * 100.0,
        zero_gamma=zero,
        call_wall=levels.call_wall,
        put_wall=levels.put_wall,
    )


@dataclass(slots=True)
class _Runs:
    """Of one scope and weight, or of spot."""

    runs: dict[str, Course] = field(default_factory=dict)
    snapshots: int = 0

    def add(self, values: Mapping[str, float | None]) -> None:
        self.snapshots += 1
        for name, value in values.items():
            if value is None:
                continue
            run = self.runs.get(name)
            if run is None:
                self.runs[name] = Course(value, value, value, value)
            else:
                self.runs[name] = Course(run.open, max(run.high, value), min(run.low, value), value)


class DayFold:
    """Takes the snapshots of one ticker in order of their quotes and holds no more than the rows they make."""

    def __init__(self, ticker: str, session: TradingSession) -> None:
        self._ticker = ticker
        self._day = session.date.isoformat()
        self._open_ms, self._close_ms = epoch_ms(session.open_at), epoch_ms(session.close_at)
        self._spot = _Runs()
        self._figures: dict[tuple[ScopeName | None, WeightName], _Runs] = {}
        self._first_ms = self._last_ms = 0
        self._source = ""
        self._published: ScopeName | None = None

    def add(self, snapshot: GexSnapshot) -> None:
        """Take one; what lies outside the session or has no spot counts for nothing."""
        if snapshot.spot is None or not self._open_ms <= snapshot.asof_ms <= self._close_ms:
            return
        self._first_ms = self._first_ms or snapshot.asof_ms
        self._last_ms, self._source, self._published = snapshot.asof_ms, snapshot.source, snapshot.scope
        self._spot.add({"spot": snapshot.spot})
        for scope in scopes_of(snapshot):
            for weight in WEIGHTS:
                runs = self._figures.setdefault((scope, weight), _Runs())
                runs.add(reading_of(snapshot, scope, weight)._asdict())

    def rows(self) -> tuple[DayRow, ...]:
        """One row for each scope and weight that had a figure; none without a session's spot."""
        spot = self._spot.runs.get("spot")
        if spot is None:
            return ()
        return tuple(
            DayRow(
                ticker=self._ticker,
                day=self._day,
                scope=scope,
                weight=weight,
                published=scope == self._published,
                source=self._source,
                snapshots=runs.snapshots,
                first_ms=self._first_ms,
                last_ms=self._last_ms,
                whole=self._first_ms - self._open_ms <= _EDGE_MS and self._close_ms - self._last_ms <= _EDGE_MS,
                spot=spot,
                realised_range_pct=(spot.high - spot.low) / spot.open * 100.0,
                **runs.runs,
            )
            for (scope, weight), runs in self._figures.items()
            if runs.runs
        )


def scopes_of(snapshot: GexSnapshot) -> tuple[ScopeName | None, ...]:
    """The scopes of which a snapshot tells: its own ones, else the one of its classic block, perhaps unnamed."""
    return tuple(name for name in SCOPES if name in snapshot.scopes) or (snapshot.scope,)
