"""What every kind of picture says in words: whose figures, of when, by what; and the levels drawn across it. Pure."""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from bot.render.numbers import DIGITS, known, level, price, significant_bn, strike
from bot.render.origin_words import freshness_words, origin_words, source_name, source_text
from streaming.calendar import new_york
from streaming.clock import date_of, instant_of
from streaming.errors import RequestError
from streaming.figures import FIGURES, LEVELS, read_levels, stated_scope
from streaming.freshness import Freshness, freshness
from streaming.model import SCOPE_WORDS, WEIGHT_WORDS, GexSnapshot, ScopeFigures, ScopeName, WeightName
from streaming.past import PastLevels

PROGRAM: Final = "Gexcord"
_NO_LETTERS_FROM: Final = 0x0530
"""Latin, Greek and Cyrillic come before it."""
MILLION: Final = 1e6
MARKED: Final = {kind: FIGURES[kind].name for kind in ("spot", *LEVELS)}
"""What is drawn across pictures, and its name there."""


class ChartWords(msgspec.Struct, frozen=True, kw_only=True):
    """The words around a picture."""

    title: str
    subtitle: str
    footer: str
    """At most two lines."""
    theme: str = "dark"
    bot: str = PROGRAM
    """Who drew it, so that a picture which was passed on tells where it is from."""


def drawn_by(display_name: str | None) -> str:
    """What a bot is called on a picture, in letters that its typeface has; the program where that leaves nothing."""
    drawable = (sign for sign in display_name or "" if sign.isprintable() and ord(sign) < _NO_LETTERS_FROM)
    return " ".join("".join(drawable).split()) or PROGRAM


class Asked(NamedTuple):
    """What a picture is to show, and the time of drawing."""

    scope: ScopeName
    weight: WeightName
    theme: str
    now: datetime


class Mark(msgspec.Struct, frozen=True):
    """A level drawn across the picture."""

    kind: str
    """One of `MARKED`."""
    name: str
    value: float

    @property
    def words(self) -> str:
        """Where it is."""
        return level(self.kind, self.value)


class Band(msgspec.Struct, frozen=True):
    """How far the straddle of the nearest expiry lets spot go, shaded behind a picture."""

    low: float
    high: float
    expiry: str
    """ISO date."""
    begins: float | None = None
    """Over time: since when it stands, seconds since midnight in New York."""

    @property
    def words(self) -> str:
        """Beside the unit of the axis it is counted on."""
        return f"shaded: expected ±{price((self.high - self.low) / 2)}"


def band_of(seen: GexSnapshot | PastLevels) -> Band | None:
    """What is expected of spot in a snapshot; None where nobody knows."""
    spot, move = seen.spot, seen.expected_move
    if not known(spot) or move is None or date_of(move.expiry) is None:
        return None
    if not known(move.straddle_points) or move.straddle_points <= 0.0:
        return None
    return Band(spot - move.straddle_points, spot + move.straddle_points, move.expiry)


def with_band(words: str, band: Band | None) -> str:
    """The words below an axis, and what is shaded."""
    return words if band is None else f"{words} · {band.words}"


def band_in_words(band: Band | None) -> str:
    """The band for whoever cannot see it, as the end of a sentence."""
    return "" if band is None else f", expected {price(band.low)} to {price(band.high)} by {band.expiry}"


def subtitle(scope: ScopeName | None, weight: WeightName) -> str:
    """What the figures are weighted by and which expiries they sum over, if their producer says so."""
    return f"by {WEIGHT_WORDS[weight]}" + ("" if scope is None else f" · {SCOPE_WORDS[scope]}")


def footer(snapshot: GexSnapshot, now: datetime, note: str) -> str:
    """Two lines: where the figures are from and of when; a note and, unless live, how old it all is.

    A replay is named as one with the day it was recorded, and is as old as the moment it was played.
    """
    asof = new_york(instant_of(snapshot.asof_ms))
    words = [note] if note else []
    if snapshot.on_demand is not None or freshness(snapshot, now) is not Freshness.LIVE:
        words.append(freshness_words(snapshot, now))
    if snapshot.state == "closed":
        words.append("market closed")
    source = _where_from(snapshot, asof)
    return f"{source} · {asof:%H:%M:%S} New York\n{' · '.join(words)}"


def _where_from(snapshot: GexSnapshot, asof: datetime) -> str:
    """Of a replay with the recorded day, which is then not said twice."""
    origin = origin_words(snapshot)
    if origin is not None and snapshot.replay is not None:
        return origin
    return f"{origin or source_name(snapshot.source)} · {asof:%d %b %Y}"


def figures_of(snapshot: GexSnapshot, scope: ScopeName) -> ScopeFigures | None:
    """The scope's figures, or None where the classic fields are all there is of it.

    RequestError when the snapshot has nothing of this scope.
    """
    chosen = snapshot.scopes.get(scope)
    if chosen is None and snapshot.scope not in {None, scope}:
        raise RequestError(
            f"{source_text(snapshot.source)} provides no {scope} scope for {snapshot.ticker}.",
            remedy=_given(snapshot),
        )
    return chosen


def levels(snapshot: GexSnapshot | PastLevels, scope: ScopeName, weight: WeightName) -> dict[str, float | None]:
    """Spot and the levels of a scope under a weight, by kind of mark; the classic ones without a scope."""
    found = read_levels(snapshot, stated_scope(snapshot, scope), weight)
    return {"spot": snapshot.spot, **{kind: getattr(found, kind) for kind in LEVELS}}


def marks(snapshot: GexSnapshot, scope: ScopeName, weight: WeightName) -> tuple[Mark, ...]:
    """The levels that are known."""
    found = levels(snapshot, scope, weight)
    return tuple(Mark(kind, MARKED[kind], value) for kind, value in found.items() if known(value))


def net_millions(snapshot: GexSnapshot | PastLevels, scope: ScopeName, weight: WeightName) -> float | None:
    """Net GEX in $ millions per 1 %; the classic sum where there is no scope."""
    net = read_levels(snapshot, stated_scope(snapshot, scope), weight).net_gex_usd_per_1pct
    return None if net is None else net / MILLION


def weighed(weight: WeightName, *, vol: float | None, oi: float | None) -> float | None:
    """The one of two figures that is of the weight."""
    return vol if weight == "vol" else oi


def levels_in_words(marks: tuple[Mark, ...]) -> str:
    """The levels by name and price."""
    return ", ".join(f"{mark.name} {mark.words}" for mark in marks) or "no levels"


def extremes(bars: tuple[tuple[float, float], ...]) -> str:
    """The most positive and the most negative of (strike, $ millions per 1 %)."""
    highest, lowest = max(bars, key=lambda bar: bar[1]), min(bars, key=lambda bar: bar[1])
    most = f", most positive {dollars(highest[1])} at {strike(highest[0])}" if highest[1] > 0 else ""
    least = f", most negative {dollars(lowest[1])} at {strike(lowest[0])}" if lowest[1] < 0 else ""
    return most + least


def clock(seconds: float) -> str:
    """Seconds since midnight as `09:40`."""
    return f"{int(seconds) // 3600:02d}:{int(seconds) // 60 % 60:02d}"


def dollars(millions: float | None) -> str:
    """$ millions per 1 % as billions with their sign."""
    return significant_bn(None if millions is None else millions / 1000, DIGITS)


def _given(snapshot: GexSnapshot) -> str:
    names = list(snapshot.scopes) or [str(snapshot.scope)]
    return f"Choose the scope {' or '.join(names)}."
