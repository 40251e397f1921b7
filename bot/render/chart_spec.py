"""What a picture shows, small enough to send to the worker that draws it. Pure."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from bot.render.captions import WEIGHT_WORDS
from bot.render.numbers import known
from bot.render.view import Freshness, freshness_of, freshness_words
from streaming.calendar import new_york
from streaming.clock import epoch_ms
from streaming.errors import RequestError
from streaming.model import GexSnapshot, ScopeName, WeightName, headline

_MOST_BARS: Final = 160
_SCOPE_WORDS: Final[dict[ScopeName, str]] = {
    "zero": "nearest expiry",
    "one": "second expiry",
    "full": "expiries up to 90 days",
    "all": "all expiries",
}


class Mark(msgspec.Struct, frozen=True):
    """A level drawn across the bars."""

    kind: str
    """spot, zero_gamma, call_wall or put_wall."""
    name: str
    value: float


class StrikesChart(msgspec.Struct, frozen=True, kw_only=True, tag="strikes"):
    """Exposure by strike. `bars` are (strike, $ millions per 1 % move), ascending by strike."""

    title: str
    subtitle: str
    footer: str
    """At most two lines."""
    bars: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    theme: str = "dark"


class Drawn(msgspec.Struct, frozen=True, tag="drawn"):
    """A finished picture."""

    png: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Why there is no picture."""

    reason: str


def strikes_chart(snapshot: GexSnapshot, *, weight: WeightName, theme: str, now: datetime) -> StrikesChart:
    """The chart of a snapshot at the time of drawing.

    Levels are the board's, so that picture and text never disagree.

    RequestError when the snapshot has no figure by strike under this weight.
    """
    bars = _bars(snapshot, weight)
    if not bars:
        raise RequestError(
            f"{snapshot.ticker} has no figures by strike for {WEIGHT_WORDS[weight]} yet.", remedy="Try again later."
        )
    return StrikesChart(
        title=f"{snapshot.ticker}  net GEX by strike",
        subtitle=f"by {WEIGHT_WORDS[weight]}{_scope(snapshot.scope)}",
        footer=_footer(snapshot, now),
        bars=bars,
        marks=_marks(snapshot),
        theme=theme,
    )


def _footer(snapshot: GexSnapshot, now: datetime) -> str:
    """Two lines: where the figures are from and of when; what the levels are by and, unless live, how old it all is."""
    asof = new_york(datetime.fromtimestamp(snapshot.asof_ms / 1000, tz=UTC))
    age_s = (epoch_ms(now) - snapshot.asof_ms) / 1000
    freshness = freshness_of(age_s, delayed=snapshot.delayed)
    words = "" if freshness is Freshness.LIVE else f" · {freshness_words(freshness, age_s)}"
    return f"{snapshot.source[:20]} · {asof:%d %b %Y %H:%M:%S} New York\n{_levels_by(snapshot)}{words}"


def _scope(scope: ScopeName | None) -> str:
    return "" if scope is None else f" · {_SCOPE_WORDS[scope]}"


def _bars(snapshot: GexSnapshot, weight: WeightName) -> tuple[tuple[float, float], ...]:
    figures = [
        (strike, by_volume if weight == "vol" else by_interest)
        for strike, by_volume, by_interest, _ in snapshot.strikes
    ]
    rows = [(strike, value) for strike, value in figures if value is not None and known(value)]
    if not any(value for _, value in rows):
        return ()
    if len(rows) > _MOST_BARS:
        centre = snapshot.spot if snapshot.spot is not None else rows[len(rows) // 2][0]
        rows = sorted(sorted(rows, key=lambda row: abs(row[0] - centre))[:_MOST_BARS])
    return tuple(rows)


def _marks(snapshot: GexSnapshot) -> tuple[Mark, ...]:
    figures = headline(snapshot)
    levels = (
        Mark("spot", "spot", _or_nan(figures.spot)),
        Mark("zero_gamma", "zero gamma", _or_nan(figures.zero_gamma)),
        Mark("call_wall", "call wall", _or_nan(figures.call_wall)),
        Mark("put_wall", "put wall", _or_nan(figures.put_wall)),
    )
    return tuple(mark for mark in levels if known(mark.value))


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _levels_by(snapshot: GexSnapshot) -> str:
    if snapshot.scope in snapshot.scopes:
        return "levels by open interest"
    return "walls by OI, zero gamma by volume"
