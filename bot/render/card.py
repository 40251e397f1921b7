"""A message as a card, Discord's components of the second kind: its text on the way there, and what Discord is sent.

A card is text that begins with a mark, so that boards, chores and the ledger keep one kind of thing. Several may stand
in one text, one below the other; what is written beneath one belongs to its last part.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import discord

from streaming.model import Regime

_ACCENTS: Final[dict[Regime, int]] = {"dampened": 0x23A55A, "amplified": 0xDA373C, "undecided": 0xF0B232}
_UNKNOWN_ACCENT: Final = 0x80848E
_MARK: Final = re.compile(r"^::card ([0-9a-f]{6})\n", re.MULTILINE)
_BETWEEN: Final = "\n---\n"
_PICTURE: Final = "\n::picture"
PICTURE_FILE: Final = "gex.png"
"""What the file of a live message's picture is called; a card shows it by its name."""


def card_text(parts: Sequence[Sequence[str]], regime: Regime | None = None) -> str:
    """The text of one card: lines of markdown in parts that a rule stands between, with the regime as its colour."""
    accent = _UNKNOWN_ACCENT if regime is None else _ACCENTS[regime]
    return f"::card {accent:06x}\n" + _BETWEEN.join("\n".join(part) for part in parts)


def is_card(text: str) -> bool:
    """Whether a text is sent as components and not as content."""
    return _MARK.match(text) is not None


def as_card(text: str) -> str:
    """A text for a message that is a card already: Discord lets none become content again."""
    return text if is_card(text) else card_text([[text]])


def with_picture(text: str) -> str:
    """The text of a card that shows the picture attached to it, which every edit has to say again."""
    return text + _PICTURE


def layout_of(text: str, buttons: Sequence[discord.ui.Item[Any]] = ()) -> discord.ui.LayoutView:
    """What Discord is sent of a card's text: a container each, of six components as boards write them, and buttons.

    Nothing that discord.py would keep to answer for, if those buttons are dynamic.
    """
    layout = discord.ui.LayoutView(timeout=None)
    words = text.removesuffix(_PICTURE)
    for accent, parts in _cards(words):
        container: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(accent_colour=accent)
        for place, part in enumerate(parts):
            if place:
                container.add_item(discord.ui.Separator())
            container.add_item(discord.ui.TextDisplay(part))
        layout.add_item(container)
    if words != text:
        layout.add_item(discord.ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{PICTURE_FILE}")))
    if buttons:
        layout.add_item(discord.ui.ActionRow(*buttons))
    return layout


def shown_text(message: discord.Message) -> str:
    """What a reader sees written: the content, or the texts of a card."""
    if message.content or not message.flags.components_v2:
        return message.content
    return "\n".join(_displayed(message.components))


def _displayed(components: Sequence[discord.Component]) -> Iterator[str]:
    for component in components:
        if isinstance(component, discord.TextDisplay):
            yield component.content
        elif isinstance(component, discord.Container):
            yield from _displayed(component.children)


def _cards(text: str) -> Iterator[tuple[int, list[str]]]:
    _, *found = _MARK.split(text)
    for accent, body in zip(found[::2], found[1::2], strict=True):
        yield int(accent, 16), body.strip("\n").split(_BETWEEN)
