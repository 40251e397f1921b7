"""The board's message in each of its styles, a block of 40 columns or lines of markdown. Pure: one view, one text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import dropwhile
from typing import Final

from bot.choices import Style
from bot.render import theme
from bot.render.card import card_text
from bot.render.message_form import code_block, stamp
from bot.render.numbers import UNKNOWN, age, distance, known, level, percent, price, signed, significant_bn, strike
from bot.render.origin_words import escaped, safe_name, source_name
from streaming.calendar import new_york
from streaming.figures import BOARD, FIGURES, line_weight
from streaming.freshness import Freshness
from streaming.model import Regime, ScopeName, WeightName

_AT_STRIKE: Final = "at strike"
_LINES: Final = {name: FIGURES[name].title.lower() for name in BOARD if name != "spot"}
LABELS: Final = (*_LINES.values(), _AT_STRIKE)
"""What the lines below title, provenance and regime begin with."""
PARTS: Final = " · "
"""Between the parts of the provenance: source, freshness, what should be known, span of the changes."""
WAITING_FOR: Final = "waiting for data from "
COLUMNS: Final = 40
TABLE_HEAD: Final = ("spot", "zero γ", "call", "put", "net Bn")
"""Above the rows of several tickers that have no room for a block each."""
_GAP: Final = " "
_OF_PERCENT: Final = 2
_LEVEL: Final = 8
"""Columns of a level: 99999.99."""
_UP: Final = "▲"
_DOWN: Final = "▼"
_TIED: Final = "\N{NO-BREAK SPACE}"
"""Where a phone must not break a line: within a change, before its dot, within the word for the regime."""
_JOINED: Final = "\N{WORD JOINER}"
_DOTS: Final = {_UP: f"🟢{_JOINED}{_UP}", _DOWN: f"🔴{_JOINED}{_DOWN}"}
_SCOPES: Final[Mapping[ScopeName, str]] = {
    "zero": "nearest expiry",
    "one": "second expiry",
    "full": "expiries ≤90 days",
    "all": "every expiry",
}
FRESHNESS_COLOUR: Final = {
    Freshness.LIVE: theme.GREEN,
    Freshness.STALE: theme.YELLOW,
    Freshness.OLD: theme.RED,
    Freshness.DELAYED: theme.YELLOW,
    Freshness.STOPPED: theme.RED,
}
_FENCED: Final = re.compile(r"```(?:ansi)?\n(.*?)\n```(?:\n.*)?", re.DOTALL)
_MARKUP: Final = re.compile("\x1b\\[[0-9;]*m|\\*\\*|^#+ |^-# ", re.MULTILINE)
_UPDATED: Final = re.compile(r"updated <t:\d+:R>")
_WORD: Final = re.compile(r"(?<!\w)[a-zA-Z]+(?: [a-zA-Z]+)*(?!\w)")
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
    """Of prices, in points."""
    digits: int = 3
    """Significant ones, of exposures."""
    scope: ScopeName | None = None
    """What the figures sum over; None where the producer does not say."""
    weight: WeightName | None = None
    """What everything is by that can be; None for each figure's own, levels by open interest."""
    regime: Regime | None = None
    """By what levels are."""
    figures: Mapping[str, Moving] = field(default_factory=lambda: dict.fromkeys(BOARD, Moving()))
    """The lines of `BOARD`."""
    max_change_strike: float | None = None


def board_text(view: BoardView, *, style: Style = "ansi") -> str:
    """The whole message, never above 2,000 characters: a block, markdown, or the text of a card.

    Direction is told by an arrow as well as by colour. Arrows end their lines, so that a typeface in which
    they are wider does not push a column.
    """
    if style == "ansi":
        return code_block(_block(view), "ansi")
    lines = _markdown(view)
    return "\n".join(line for part in lines for line in part) if style == "plain" else card_text(lines, view.regime)


def _block(view: BoardView) -> list[str]:
    banner = [_painted(line, theme.YELLOW) for line in banner_lines(view.banner)]
    if view.freshness is Freshness.WAITING:
        waiting, *rest = _waiting(view)
        return [_bold(f"GEX: {safe_name(view.ticker)}"), _painted(waiting, theme.YELLOW), *rest]
    return [
        *banner,
        _block_title(view),
        provenance(view, FRESHNESS_COLOUR.get(view.freshness)),
        _regime(view),
        *(_block_line(name, label, view) for name, label in _LINES.items()),
        _strike_line(view),
    ]


def banner_lines(banner: str) -> list[str]:
    """On one line if it fits: the words of a replayed simulation take two."""
    if len(banner) <= COLUMNS:
        return [banner] if banner else []
    first, _, rest = banner.partition(PARTS)
    return [first, rest]


def _block_title(view: BoardView) -> str:
    """Ticker, spot and its change, in the first form that fits; at the worst with the name cut short."""
    spot, name = view.figures["spot"], safe_name(view.ticker)
    for gap, decimals, of_change, of_percent in _title_forms(view.decimals):
        head = f"GEX: {name}{gap}{price(spot.now, decimals)}"
        change = _rounded(spot, decimals)
        words = _spot_change(view, change, of_change, of_percent)
        shown = None if change is None else round(change, of_change)
        over = len(head) + len(gap) + len(words) + (len(f" {_UP}") if shown else 0) - COLUMNS
        if over <= 0:
            break
    else:
        head = head.replace(name, _cut(name, len(name) - over), 1)
    return f"{_bold(head)}{gap}{_moved(words, shown)}"


def _title_forms(decimals: int) -> Iterator[tuple[str, int, int, int]]:
    """Blanks between the parts and decimals of spot, change and percentage: what tells least goes first."""
    yield _GAP * 2, decimals, decimals, _OF_PERCENT
    yield from ((_GAP, decimals, fewer, _OF_PERCENT) for fewer in range(decimals, -1, -1))
    yield from ((_GAP, fewer, 0, _OF_PERCENT - 1) for fewer in range(decimals, -1, -1))
    yield _GAP, 0, 0, 0


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else f"{name[: max(room - 1, 0)]}…"


def _block_line(name: str, label: str, view: BoardView) -> str:
    figure = view.figures[name]
    if not BOARD[name].is_price:
        named = f"{label} {line_weight(name, view.weight)}"
        change, moved = _exposure_change(figure, view)
        return f"{named:<16}{significant_bn(figure.now, view.digits):>10} {_moved(f'{moved:>11}', change)}"
    away = distance(figure.now, view.figures["spot"].now)
    decimals = _narrow(view.decimals, figure.now, figure.before)
    now, before = level(name, figure.now, decimals), level(name, figure.before, decimals)
    return _levelled(f"{label:<11}{now:>8} {away:>6}", f"{f'({before})':>11}", _rounded(figure, decimals))


def _strike_line(view: BoardView) -> str:
    at = view.max_change_strike
    line = f"{f' {_AT_STRIKE}':<11}{strike(at, _narrow(view.decimals, at)):>8}"
    return f"{line}{scope_words(view):>{COLUMNS - len(line)}}"


def _narrow(decimals: int, *values: float | None) -> int:
    """As many decimals, down to none, as leave all of these within the column of a level."""
    widest = max((len(price(value, 0)) for value in values), default=0)
    return max(min(decimals, _LEVEL - widest - 1), 0)


def _markdown(view: BoardView) -> tuple[list[str], ...]:
    """The lines in groups: title and what it is, levels, exposures."""
    title = f"GEX: {escaped(safe_name(view.ticker))}"
    if view.freshness is Freshness.WAITING:
        return ([f"### {title}", *filter(None, _waiting(view, prose=True))],)
    spot = view.figures["spot"]
    change = _rounded(spot, view.decimals)
    moved = _dotted(_spot_change(view, change, view.decimals), change)
    head = [
        f"### {title} {price(spot.now, view.decimals)}",
        moved,
        f"-# {escaped(PARTS.join(filter(None, [provenance(view, None, prose=True), scope_words(view)])))}",
    ]
    lines = {name: _markdown_line(name, label, view) for name, label in _LINES.items()}
    levels = [line for name, line in lines.items() if BOARD[name].is_price]
    exposures = [line for name, line in lines.items() if not BOARD[name].is_price]
    at_strike = f"{_AT_STRIKE} **{strike(view.max_change_strike, view.decimals)}**"
    banner = [f"**{view.banner}**"] if view.banner else []
    return [*banner, *head, f"**{_regime(view).replace('moves ', f'moves{_TIED}')}**"], levels, [*exposures, at_strike]


def _markdown_line(name: str, label: str, view: BoardView) -> str:
    figure = view.figures[name]
    if BOARD[name].is_price:
        away = distance(figure.now, view.figures["spot"].now)
        now, before = level(name, figure.now, view.decimals), level(name, figure.before, view.decimals)
        return _dotted(f"{label} **{now}** {away} ({before})", _rounded(figure, view.decimals))
    change, moved = _exposure_change(figure, view)
    value = significant_bn(figure.now, view.digits)
    return _dotted(f"{label} {line_weight(name, view.weight)} **{value}** {moved.replace(' ', _TIED)}", change)


def _spot_change(view: BoardView, change: float | None, decimals: int, of_percent: int = _OF_PERCENT) -> str:
    if change is None:
        return f"Δ {UNKNOWN}"
    before = view.figures["spot"].before
    return f"Δ {signed(change, decimals)} {percent(change / before if before else None, of_percent)}"


def _exposure_change(figure: Moving, view: BoardView) -> tuple[float | None, str]:
    """The change, 0 where nothing of it is printed, and its words."""
    words = significant_bn(figure.change, view.digits)
    shown = any(digit in words for digit in "123456789")
    return figure.change if shown or figure.change is None else 0.0, f"Δ {words}"


def provenance(view: BoardView, colour: str | None, *, prose: bool = False) -> str:
    """Without the span of the changes where a note leaves no room for it; `prose` is not a block of code.

    In a block a long name of a source is cut where even that leaves too little room.
    """
    words = freshness_words(view, prose=prose)
    said = [part for part in (source_name(view.source), words, view.note, f"Δ {view.window_s:g}s") if part]
    if len(PARTS.join(said)) > COLUMNS:
        said.pop()
    over = len(PARTS.join(said)) - COLUMNS
    if over > 0 and not prose:
        said[0] = _cut(said[0], len(said[0]) - over)
    if colour is not None:
        said[1] = _painted(words, colour)
    return PARTS.join(said)


def scope_words(view: BoardView) -> str:
    """Of which expiries all figures are; nothing where the producer does not say."""
    return "" if view.scope is None else _SCOPES[view.scope]


def freshness_words(view: BoardView, *, prose: bool = False) -> str:
    """How old the figures are, or how they ended: at an hour of New York, in `prose` of each reader."""
    at = ""
    if view.at is not None:
        at = f" {stamp(view.at)}" if prose else f" {new_york(view.at):%H:%M NY %d %b}"
    match view.freshness:
        case Freshness.CLOSED:
            return f"closed{at}"
        case Freshness.STOPPED:
            return f"feed stopped{at}"
        case Freshness.LIVE:
            return view.live_word
        case _:
            return view.freshness.words(age(view.age_s or 0.0))


def _regime(view: BoardView) -> str:
    """On which side of zero gamma spot is, what dealers' hedging does there; by which weight if one was chosen."""
    words = "regime unknown" if view.regime is None else "undecided"
    if view.regime in {"amplified", "dampened"}:
        words = f"moves {view.regime}" if view.weight is None else view.regime
    spot, flip = view.figures["spot"].now, view.figures["zero_gamma"].now
    if known(spot) and known(flip):
        words = f"{'above' if spot >= flip else 'below'} zero gamma: {words}"
    return words if view.weight is None else f"by {view.weight}, {words}"


def _waiting(view: BoardView, *, prose: bool = False) -> list[str]:
    at = "" if view.at is None else stamp(view.at, "T") if prose else f"{new_york(view.at):%H:%M:%S} New York"
    said = [f"{WAITING_FOR}{source_name(view.source)}", *filter(None, [view.note])]
    return [*(map(escaped, said) if prose else said), f"since {at}" if at else ""]


def _rounded(figure: Moving, decimals: int) -> float | None:
    """The change between both ends as they are printed, so that an arrow never contradicts the digits beside it."""
    if figure.now is None or figure.before is None or figure.change is None:
        return None
    return round(figure.now, decimals) - round(figure.before, decimals)


def _bold(text: str) -> str:
    return f"{theme.BOLD}{text}{theme.RESET}"


def _painted(text: str, colour: str) -> str:
    """The words in a colour, the digits in that of the text: Discord's colours are too faint to read digits in."""
    return _WORD.sub(lambda word: f"{colour}{word[0]}{theme.RESET}", text)


def _levelled(text: str, before: str, change: float | None) -> str:
    """A level with what it was: the brackets and the arrow coloured."""
    colour = _colour(change)
    if colour is not None:
        before = re.sub(r"[()]", lambda bracket: f"{colour}{bracket[0]}{theme.RESET}", before)
    return _arrowed(f"{text} {before}", change)


def _moved(text: str, change: float | None) -> str:
    """A change with its arrow: its sign and the arrow coloured, for the same reason."""
    colour = _colour(change)
    if colour is None:
        return text
    spaces, delta, digits = text.partition(text.strip()[:3])
    return _arrowed(f"{spaces}{colour}{delta}{theme.RESET}{digits}", change)


def _arrowed(text: str, change: float | None) -> str:
    colour = _colour(change)
    return text if colour is None else f"{text} {colour}{arrow_of(change)}{theme.RESET}"


def _dotted(text: str, change: float | None) -> str:
    return f"{text}{_TIED}{_DOTS[arrow_of(change)]}" if change else text


def _colour(change: float | None) -> str | None:
    return None if not change else theme.GREEN if change > 0 else theme.RED


def arrow_of(change: float | None) -> str:
    """Up, down, or nothing."""
    return "" if not change else _UP if change > 0 else _DOWN


def is_replaceable(content: str) -> bool:
    """Whether a text is a whole board that is live, waits or stopped: one that a newer message takes the place of.

    Of a card, the text that it shows. The closing message of a session is none, nor is anything that lacks one of a
    board's lines.
    """
    found = _FENCED.fullmatch(content.strip())
    lines = [line.strip() for line in _MARKUP.sub("", content if found is None else found[1]).strip().split("\n")]
    if found is None and _UPDATED.fullmatch(lines[-1]):
        lines.pop()
    before, rest = _split_at_title(lines)
    is_banner = found is not None or all(line.startswith("**") for line in content.strip().split("\n")[:before])
    return is_banner and _is_body(rest)


def _split_at_title(lines: list[str]) -> tuple[int, list[str]]:
    """How many lines stand above the title, and those below it; none where there is no title."""
    for before, line in enumerate(lines[: _MOST_LINES_BEFORE + 1]):
        if line.startswith("GEX: "):
            return before, lines[before + 1 :]
    return 0, []


def _is_body(lines: list[str]) -> bool:
    if lines and lines[0].startswith(WAITING_FOR):
        return True
    if " ".join(TABLE_HEAD) in (" ".join(line.split()) for line in lines):
        return PARTS in lines[0] and not lines[0].split(PARTS)[1].startswith(Freshness.CLOSED)
    figures = lines[-len(LABELS) :]
    whole = len(figures) == len(LABELS) and all(map(str.startswith, figures, LABELS))
    parts = next(dropwhile(lambda said: len(said) < 2, (line.split(PARTS) for line in lines[: -len(LABELS)])), None)  # noqa: PLR2004
    return whole and parts is not None and not parts[1].startswith(Freshness.CLOSED)
