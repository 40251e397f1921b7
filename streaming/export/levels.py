"""The levels of one snapshot as text for charting programs: a list to paste, a script, or a table. Pure.

`specs/level-texts.md` shows each format, and the indicators that read the list stand in `specs/indicators/`.
"""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.errors import TransientError
from streaming.figures import FIGURES, LEVELS, read_levels
from streaming.gex.points.point_views import native_view, seen_in
from streaming.model import GexSnapshot, ScopeName, ViewName, WeightFigures, WeightName
from streaming.symbols import Ticker, family_of, parse_ticker

_FULL: Final = "full"
_GROSS: Final = FIGURES["gross_walls"].rows
LABELS: Final[Mapping[str, str]] = {
    **{name: FIGURES[name].title for name in LEVELS},
    **{row.field: row.label.replace(",", "").capitalize() for row in _GROSS},
}
"""What each level is called, by its name in `streaming.figures`."""
FormatName = Literal["tradingview", "ninjatrader", "thinkorswim", "csv"]
"""Those of `FORMATS`."""


class Level(NamedTuple):
    """One line to draw."""

    key: str
    """Its name in `streaming.figures`, which does not change."""
    label: str
    price: float


@dataclass(frozen=True, slots=True)
class LevelSheet:
    """What is drawn of one ticker, and what it was read from. A level that is unknown is not among them."""

    ticker: str
    points_of: str
    """The instrument in whose points the prices are: `SPX`, `SPY`, `/ES`."""
    scope: ScopeName | None
    weight: WeightName
    quoted_at: datetime
    """In New York."""
    source: str
    levels: tuple[Level, ...]

    @property
    def title(self) -> str:
        """Ticker, points, scope, weight and quote time in one line without a comma."""
        points = "" if self.points_of == self.ticker else f" in {self.points_of} points"
        told = "" if self.source == "schwab" else f" ({self.source})"
        at = f"{self.quoted_at:%Y-%m-%d %H:%M} New York"
        return f"Gexcord {self.ticker}{points} {self.scope or 'expiries not told'} {self.weight} of {at}{told}"


def level_sheet(snapshot: GexSnapshot, *, scope: ScopeName | None, weight: WeightName, view: ViewName) -> LevelSheet:
    """The levels of one scope under one weight in the points of `view`.

    RequestError where the levels cannot be shown in those points, TransientError where none is known.
    """
    ticker = parse_ticker(snapshot.ticker)
    seen = seen_in(snapshot, view, ticker)
    prices = level_prices(seen, scope, weight)
    levels = tuple(Level(key, LABELS[key], price) for key, price in prices.items() if price is not None)
    if not levels:
        raise TransientError(
            f"No level of {snapshot.ticker} is known by {weight} in scope {scope or 'of the source'}.",
            remedy="Try another scope or weight.",
        )
    return LevelSheet(
        ticker=snapshot.ticker,
        points_of=points_of(snapshot, view, ticker),
        scope=scope or snapshot.scope,
        weight=weight,
        quoted_at=new_york(instant_of(snapshot.asof_ms)),
        source=snapshot.source if snapshot.replay is None else f"replay of {snapshot.replay.of}",
        levels=levels,
    )


def level_prices(snapshot: GexSnapshot, scope: ScopeName | None, weight: WeightName) -> dict[str, float | None]:
    """Every level that is drawn, by its name in `streaming.figures`; None is unknown."""
    read = read_levels(snapshot, scope, weight)
    own = snapshot.scopes.get(scope or snapshot.scope or _FULL)
    figures = WeightFigures() if own is None else own.by(weight)
    drawn: dict[str, float | None] = {name: getattr(read, name) for name in LEVELS}
    return drawn | {row.field: getattr(figures, row.field) for row in _GROSS}


def points_of(snapshot: GexSnapshot, view: ViewName, ticker: Ticker) -> str:
    """The instrument in whose points the levels of a view are: `SPX`, `SPY`, `/ES`."""
    mapped = view not in {"native", native_view(ticker)} and family_of(ticker) is not None
    return snapshot.views[view].symbol.lstrip("$") if mapped else snapshot.ticker


def level_list(sheet: LevelSheet) -> str:
    """`title;name,price;name,price`, one line: what the TradingView and NinjaTrader indicators read."""
    return ";".join([sheet.title, *(f"{level.label},{level.price:.2f}" for level in sheet.levels)])


def think_script(sheet: LevelSheet) -> str:
    """A study for thinkorswim: one dashed line and one bubble a level."""
    lines = [f"# {sheet.title}", *(line for level in sheet.levels for line in _study(level))]
    return "\n".join(lines)


def _study(level: Level) -> list[str]:
    name = "".join(word.capitalize() for word in level.key.split("_"))
    colour = _COLOURS.get(level.key, "Color.GRAY")
    last = "IsNaN(close[-1]) and !IsNaN(close)"
    return [
        f"plot {name} = {level.price:.2f};",
        f"{name}.SetDefaultColor({colour});",
        f"{name}.SetStyle(Curve.LONG_DASH);",
        f'AddChartBubble({last}, {name}, "{level.label}", {colour});',
    ]


_COLOURS: Final = {
    "zero_gamma": "Color.YELLOW",
    "call_wall": "Color.GREEN",
    "put_wall": "Color.RED",
    "call_wall_gross": "Color.DARK_GREEN",
    "put_wall_gross": "Color.DARK_RED",
}


def level_table(sheet: LevelSheet) -> str:
    """Comma-separated with a head line: one row a level."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("ticker", "level", "price", "points_of", "scope", "weight", "quoted_at", "source"))
    rest = (sheet.points_of, sheet.scope or "", sheet.weight, sheet.quoted_at.isoformat(), sheet.source)
    table.writerows((sheet.ticker, level.key, f"{level.price:.2f}", *rest) for level in sheet.levels)
    return text.getvalue().rstrip("\n")


class Format(NamedTuple):
    """One way to write a sheet."""

    words: str
    """For which program, and what to do with it."""
    write: Callable[[LevelSheet], str]


FORMATS: Final[Mapping[str, Format]] = {
    "tradingview": Format("TradingView: paste into the input of the indicator gexcord.pine", level_list),
    "ninjatrader": Format("NinjaTrader: paste into the property of the indicator GexcordLevels", level_list),
    "thinkorswim": Format("thinkorswim: paste as the code of a new study", think_script),
    "csv": Format("a table for everything else", level_table),
}
