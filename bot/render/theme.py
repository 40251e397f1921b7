"""Colours: ANSI codes for messages, hex values for pictures and embeds."""

from dataclasses import dataclass
from typing import Final

RESET: Final = "\x1b[0m"
BOLD: Final = "\x1b[1m"
GREEN: Final = "\x1b[1;32m"
RED: Final = "\x1b[1;31m"
YELLOW: Final = "\x1b[1;33m"
"""Bold, and not for digits: on Discord's own backgrounds they stay below 4.5 : 1 (`tests/support/contrast.py`)."""

EMBED_COLOUR: Final = 0x2F7FC1


@dataclass(frozen=True, slots=True)
class ChartTheme:
    """Colours of a picture. Positive and negative are blue and orange, told apart by every kind of colour vision."""

    background: str
    panel: str
    text: str
    muted: str
    faint: str
    positive: str
    negative: str
    spot: str
    zero_gamma: str


# Blue and orange after Okabe and Ito's palette; backgrounds are Discord's own, so a picture sits in its message.
DARK: Final = ChartTheme(
    background="#313338",
    panel="#2b2d31",
    text="#f2f3f5",
    muted="#b5bac1",
    faint="#80848e",
    positive="#56b4e9",
    negative="#e69f00",
    spot="#ffffff",
    zero_gamma="#d7a6ff",
)
LIGHT: Final = ChartTheme(
    background="#ffffff",
    panel="#f7f8fa",
    text="#1e1f22",
    muted="#5c5e66",
    faint="#8a8f98",
    positive="#0072b2",
    negative="#d55e00",
    spot="#000000",
    zero_gamma="#7b2fbe",
)
THEMES: Final = {"dark": DARK, "light": LIGHT}
