"""The board's message: the short format, in 40 columns, coloured or plain. Pure: one view, one text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

from bot.render import theme
from bot.render.message_form import code_block
from bot.render.numbers import UNKNOWN, age, bn, known, percent, price, signed
from bot.render.origin_words import safe_name, source_name
from streaming.calendar import new_york
from streaming.figures import BOARD, FIGURES
from streaming.freshness import Freshness

Style = Literal["ansi", "plain"]
_AT_STRIKE: Final = "  at strike"
_LINES: Final = {name: FIGURES[name].title.lower() for name in BOARD if name != "spot"}
LABELS: Final = (*_LINES.values(), _AT_STRIKE)
"""What the lines below title and provenance begin with."""
PARTS: Final = " · "
"""Between the parts of the provenance: source, freshness, what should be known, span of the changes."""
WAITING_FOR: Final = "waiting for data from "
_UP: Final = "▲"
_DOWN: Final = "▼"
_LABEL: Final = 13
_VALUE: Final = 10
_DETAIL: Final = 13
_FRESHNESS_COLOUR: Final = {
    Freshness.LIVE: theme.GREEN,
    Freshness.STALE: theme.YELLOW,
    Freshness.OLD: theme.RED,
    Freshness.DELAYED: theme.YELLOW,
    Freshness.STOPPED: theme.RED,
}
_FENCED: Final = re.compile(r"```(?:ansi)?\n(.*?)\n```(?:\n.*)?", re.DOTALL)
_ANSI: Final = re.compile("\x1b\\[[0-9;]*m")
_MOST_LINES_BEFORE: Final = 2
"""A banner may stand above the title."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A figure and what it was one window ago; None is unknown."""

    now: float | None = None
    before: float | None = None

    @property
    def change(self) -> float | None:
        """The difference, or None unless both ends are known."""
        if not (known(self.now) and known(self.before)):
            return None
        return self.now - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardView:
    """One ticker at one instant. Levels in points, exposures in billions of US dollars per 1 % move."""

    ticker: str
    source: str
    freshness: Freshness
    age_s: float | None = None
    at: datetime | None = None
    """Since when it waits, or when it closed or stopped."""
    note: str = ""
    """Something a reader should know of the data, such as "warming"; empty when all is well."""
    banner: str = ""
    """What stands above everything else: that this is a replay, of which day and hour."""
    live_word: str = "live"
    """How figures that are up to date are called."""
    window_s: float = 60.0
    decimals: int = 2
    figures: Mapping[str, Moving] = field(default_factory=lambda: dict.fromkeys(BOARD, Moving()))
    """The lines of `BOARD`."""
    max_change_strike: float | None = None


def board_text(view: BoardView, *, style: Style = "ansi") -> str:
    """The whole message, fence included, never above 2,000 characters.

    Direction is told by an arrow as well as by colour. Arrows end their lines, so that a typeface in which
    they are wider does not push a column.
    """
    paint = _Paint(style)
    lines = _waiting(view, paint) if view.freshness is Freshness.WAITING else _figures(view, paint)
    return code_block(lines, "ansi" if style == "ansi" else "")


class _Paint:
    """Wraps text in ANSI codes, or leaves it alone in the plain style."""

    def __init__(self, style: Style) -> None:
        self._on = style == "ansi"

    def __call__(self, text: str, code: str | None) -> str:
        return f"{code}{text}{theme.RESET}" if self._on and code and text.strip() else text

    def direction(self, text: str, change: float | None) -> str:
        return self(text, None if not change else theme.GREEN if change > 0 else theme.RED)


def _figures(view: BoardView, paint: _Paint) -> list[str]:
    strike = price(view.max_change_strike, view.decimals)
    return [
        *([paint(view.banner, theme.YELLOW)] if view.banner else []),
        _header(view, paint),
        _provenance(view, paint),
        *(_line(name, label, view, paint) for name, label in _LINES.items()),
        f"{_AT_STRIKE:<{_LABEL}}{strike:>{_VALUE}}",
    ]


def _line(name: str, label: str, view: BoardView, paint: _Paint) -> str:
    if BOARD[name].is_price:
        return _level(label, view.figures[name], view.decimals, paint)
    return _exposure(label, view.figures[name], paint)


def _header(view: BoardView, paint: _Paint) -> str:
    spot = view.figures["spot"]
    change = _rounded(spot, view.decimals)
    title = paint(f"GEX: {safe_name(view.ticker)}  {price(spot.now, view.decimals)}", theme.BOLD)
    if change is None:
        return f"{title}  Δ {UNKNOWN}"
    moved = f"Δ {signed(change, view.decimals)} {percent(change / spot.before if spot.before else None)}"
    return f"{title}  {paint.direction(f'{moved} {_arrow(change)}', change)}"


def _provenance(view: BoardView, paint: _Paint) -> str:
    words = paint(_freshness(view), _FRESHNESS_COLOUR.get(view.freshness))
    parts = [source_name(view.source), words, view.note, f"Δ {view.window_s:g}s"]
    return PARTS.join(part for part in parts if part)


def _freshness(view: BoardView) -> str:
    at = "" if view.at is None else f" {new_york(view.at):%H:%M %a %d %b}"
    match view.freshness:
        case Freshness.CLOSED:
            return f"closed{at}"
        case Freshness.STOPPED:
            return f"feed stopped{at}"
        case Freshness.LIVE:
            return view.live_word
        case _:
            return view.freshness.words(age(view.age_s or 0.0))


def _waiting(view: BoardView, paint: _Paint) -> list[str]:
    since = "" if view.at is None else f"since {new_york(view.at):%H:%M:%S} New York"
    title = paint(f"GEX: {safe_name(view.ticker)}", theme.BOLD)
    return [title, paint(f"{WAITING_FOR}{source_name(view.source)}", theme.YELLOW), *filter(None, [view.note]), since]


def _level(label: str, level: Moving, decimals: int, paint: _Paint) -> str:
    change = _rounded(level, decimals)
    value = paint.direction(f"{price(level.now, decimals):>{_VALUE}}", change)
    before = f"({price(level.before, decimals)})"
    return f"{label:<{_LABEL}}{value}{before:>{_DETAIL}} {paint.direction(_arrow(change), change)}"


def _exposure(label: str, figure: Moving, paint: _Paint) -> str:
    change = _rounded(figure, 4)
    detail = f"{f'Δ {bn(change)}':>{_DETAIL}} {_arrow(change)}"
    return f"{label:<{_LABEL}}{bn(figure.now):>{_VALUE}}{paint.direction(detail, change)}"


def _rounded(figure: Moving, decimals: int) -> float | None:
    """The change between both ends as they are printed, so that an arrow never contradicts the digits beside it."""
    if figure.now is None or figure.before is None or figure.change is None:
        return None
    return round(figure.now, decimals) - round(figure.before, decimals)


def _arrow(change: float | None) -> str:
    return "" if not change else _UP if change > 0 else _DOWN


def is_replaceable(content: str) -> bool:
    """Whether a text is a whole board that is live, waits or stopped: one that a newer message takes the place of.

    The closing message of a session is none, nor is anything that lacks one of a board's lines.
    """
    found = _FENCED.fullmatch(content.strip())
    if found is None:
        return False
    lines = _ANSI.sub("", found[1]).split("\n")
    title = next((n for n, line in enumerate(lines[: _MOST_LINES_BEFORE + 1]) if line.startswith("GEX: ")), None)
    return title is not None and _is_body(lines[title + 1 :])


def _is_body(lines: list[str]) -> bool:
    if not lines:
        return False
    if lines[0].startswith(WAITING_FOR):
        return True
    parts = lines[0].split(PARTS)
    labelled = len(lines) == len(LABELS) + 1
    whole = labelled and all(line.startswith(label) for line, label in zip(lines[1:], LABELS, strict=True))
    return whole and len(parts) > 1 and not parts[1].startswith(Freshness.CLOSED)
