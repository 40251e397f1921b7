"""What one message of Discord's takes, and the shapes that many answers have in it. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.render.numbers import price
from streaming.clock import instant

MESSAGE_CHARS: Final = 2000
FIELD_CHARS: Final = 1024
"""Of an embed's field; of a picture's description too."""
_UTC: Final = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?) UTC\b")
_ARROWS: Final = {1: "↑", -1: "↓"}


def code_block(lines: Iterable[str], language: str = "") -> str:
    """Lines in which every character is as wide as the next."""
    body = "\n".join(line.rstrip() for line in lines)
    return f"```{language}\n{body}\n```"


def stamp(at: datetime, style: str = "f") -> str:
    """An instant in prose, shown in each reader's time zone: f with its date, t without, T to the second."""
    return f"<t:{int(at.timestamp())}:{style}>"


def in_readers_time(text: str) -> str:
    """Words for a shell, with the instants in them as each reader's own time."""

    def told(found: re.Match[str]) -> str:
        at = instant(found[1], unit="s")
        return found[0] if at is None else stamp(at)

    return _UTC.sub(told, text)


def fitting(lines: Sequence[str], most: int = MESSAGE_CHARS) -> str:
    """As many whole lines as a message holds, and how many more there are."""
    shown = list(lines)
    while len(text := "\n".join([*shown, *_more(len(lines) - len(shown))])) > most:
        shown.pop()
    return text


def _more(count: int) -> list[str]:
    return [f"-# and {count} more"] if count else []


def listed(words: Sequence[str], most: int) -> str:
    """`one, two and 3 more`."""
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + rest


def listed_roots(pairs: Sequence[tuple[float, int]], most: int, arrows: Mapping[int, str] = _ARROWS) -> str:
    """Prices at which a total changes sign, each with its way as the price rises: +1 to plus, −1 to minus."""
    return listed([f"{price(root)} {arrows.get(way, '')}".strip() for root, way in pairs], most)


Cells = Sequence[Sequence[str]]
"""Rows of one table, its head among them."""


def columns(forms: Iterable[Cells], width: int) -> list[str]:
    """The first form of a table that fits, else the last: names to the left, the rest to the right, a blank between."""
    lines: list[str] = []
    for rows in forms:
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        widths[0] = max(widths[0], width - sum(widths[1:]) - len(widths) + 1)
        lines = [" ".join([f"{name:<{widths[0]}}", *map(str.rjust, rest, widths[1:])]) for name, *rest in rows]
        if len(lines[0]) <= width:
            break
    return lines
