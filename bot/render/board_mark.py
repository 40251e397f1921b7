"""How a board's message is recognised by its text alone, where nothing else is known of it. Pure."""

import re
from typing import Final

from bot.render.text import LABELS, PARTS, WAITING_FOR
from streaming.freshness import Freshness

_FENCED: Final = re.compile(r"```(?:ansi)?\n(.*?)\n```(?:\n.*)?", re.DOTALL)
_ANSI: Final = re.compile("\x1b\\[[0-9;]*m")
_MOST_LINES_BEFORE: Final = 2
"""A banner may stand above the title."""


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
