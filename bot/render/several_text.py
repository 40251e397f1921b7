"""Several tickers in one message: a block each where they fit, else one table of a row each. Pure."""

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Final

from bot.choices import Style
from bot.render import theme
from bot.render.card import card_text
from bot.render.message_form import MESSAGE_CHARS, Cells, code_block, columns
from bot.render.numbers import known, price, significant, strike
from bot.render.origin_words import safe_name
from bot.render.text import (
    COLUMNS,
    PARTS,
    TABLE_HEAD,
    BoardView,
    arrow_of,
    banner_lines,
    board_text,
    freshness_words,
    provenance,
    scope_words,
)
from streaming.figures import line_weight
from streaming.freshness import Freshness
from streaming.model import Regime, ScopeName

_CARD_CHARS: Final = 4_000
_CARDS: Final = 5
"""Of six components each, with a picture and a row of buttons within Discord's forty."""
_UPDATED_CHARS: Final = 40
"""Room for the line that may stand under a board."""
_NAME: Final = 6
"""Characters of a name, cut to leave room for figures."""
_FINE: Final = 1000.0
"""From here on a price needs no decimals to be told from another."""


def boards_text(views: Sequence[BoardView], *, style: Style = "ansi") -> str:
    """The whole message, within what Discord takes in that style."""
    text = "\n".join(board_text(view, style=style) for view in views)
    if style == "card":
        fits = len(views) <= _CARDS and len(text) <= _CARD_CHARS - _UPDATED_CHARS
    else:
        fits = len(text) <= MESSAGE_CHARS - _UPDATED_CHARS
    return text if fits or len(views) == 1 else _table(views, style)


def _table(views: Sequence[BoardView], style: Style) -> str:
    first = views[0]
    levels, net = (line_weight(name, first.weight) for name in ("zero_gamma", "net_gex"))
    usual = next((view for view in views if view.scope is not None), first)
    said = PARTS.join(filter(None, [f"levels {levels}, net {net}", scope_words(usual)]))
    lines = [*banner_lines(first.banner), f"GEX: {len(views)} tickers", provenance(first, None), said]
    lines += [*_rows(views, style), *_exceptions(views, usual.scope)]
    block = code_block(filter(None, lines), "ansi" if style == "ansi" else "")
    return card_text([[block]], _one_regime(views)) if style == "card" else block


def _one_regime(views: Sequence[BoardView]) -> Regime | None:
    """The regime of all that is shown; None where tickers differ, which one colour cannot say."""
    regimes = {view.regime for view in views if view.freshness is not Freshness.WAITING}
    return regimes.pop() if len(regimes) == 1 else None


def _rows(views: Sequence[BoardView], style: Style) -> list[str]:
    """Below the heads of their columns, in the first form that fits: what tells least goes first."""
    head, *rows = columns((_cells(views, *form) for form in _forms(views)), COLUMNS - len(arrow_of(1.0)))
    return [head, *(f"{row}{_arrow(view, style)}" for row, view in zip(rows, views, strict=True))]


def _forms(views: Sequence[BoardView]) -> Iterator[tuple[int, int, int]]:
    """Decimals of prices, digits of exposures, characters of a name."""
    digits = max(view.digits for view in views)
    yield from ((decimals, digits, _NAME) for decimals in (2, 1, 0))
    yield from ((0, fewer, _NAME) for fewer in range(digits - 1, 0, -1))
    yield from ((0, 1, fewer) for fewer in range(_NAME - 1, 0, -1))


def _cells(views: Sequence[BoardView], decimals: int, digits: int, name: int) -> Cells:
    return [("", *TABLE_HEAD), *(_row(view, decimals, digits, name) for view in views)]


def _row(view: BoardView, decimals: int, digits: int, name: int) -> tuple[str, ...]:
    now = {figure: moving.now for figure, moving in view.figures.items()}
    prices = (_short(now[figure], decimals) for figure in ("spot", "zero_gamma", "call_wall", "put_wall"))
    return safe_name(view.ticker)[:name], *prices, significant(now["net_gex"], digits)


def _arrow(view: BoardView, style: Style) -> str:
    change = view.figures["spot"].change
    arrow = arrow_of(change)
    if style != "ansi" or not change:
        return arrow
    return f"{theme.GREEN if change > 0 else theme.RED}{arrow}{theme.RESET}"


def _short(value: float | None, decimals: int) -> str:
    text = price(value, 0) if known(value) and abs(value) >= _FINE else strike(value, decimals)
    return text.rstrip("0") if "." in text else text


def _exceptions(views: Sequence[BoardView], scope: ScopeName | None) -> list[str]:
    """Whose figures are not as the head says: older, of another source or scope, or not there."""
    usual = _state(views[0])
    others = []
    for view in views:
        state, own = _state(view), "" if view.scope == scope else scope_words(view)
        if words := ", ".join(filter(None, ("" if state == usual else state, own))):
            others.append(f"{safe_name(view.ticker)} {words}")
    return wrap("; ".join(others), COLUMNS)


def _state(view: BoardView) -> str:
    words = freshness_words(view) if view.freshness is not Freshness.WAITING else "waits for data"
    return " ".join(filter(None, (words, view.note)))
