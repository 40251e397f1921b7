"""How well what a message says can be read on Discord: contrast by WCAG 2, of each colour that we write in."""

import re
from typing import Final

TEXT: Final = {"dark": "#dbdee1", "light": "#313338"}
BLOCK: Final = {"dark": "#2b2d31", "light": "#f2f3f5"}
"""Behind a code block; the message around it lies on #313338 or white."""
CHAT: Final = {"dark": "#313338", "light": "#ffffff"}
CARD: Final = {"dark": "#2b2d31", "light": "#f2f3f5"}
"""Behind what a card says."""
SUBTEXT: Final = {"dark": "#949ba4", "light": "#5c5e66"}
ANSI: Final = {31: "#dc322f", 32: "#859900", 33: "#b58900"}
"""Of Discord's desktop client, in bold as well."""
_NAMES: Final = {31: "red, bold red", 32: "green, bold green", 33: "yellow, bold yellow"}
_PARTS: Final = re.compile("\x1b\\[([0-9;]*)m")


def luminance(colour: str) -> float:
    """Relative, 0 to 1, of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def coloured(block: str) -> list[tuple[str, int | None]]:
    """Each character of a block with the ANSI colour it is written in, None for that of the text."""
    colour: int | None = None
    found: list[tuple[str, int | None]] = []
    for place, part in enumerate(_PARTS.split(block)):
        if place % 2:
            colour = next((int(code) for code in part.split(";") if code in {"31", "32", "33"}), None)
        else:
            found += [(character, colour) for character in part]
    return found


def table() -> list[str]:
    """A row for the text and each colour, as `specs/002-discord-gex-feed/spec.md` has them."""
    rows = [("text, bold text", TEXT), *((_NAMES[code], dict.fromkeys(BLOCK, hue)) for code, hue in ANSI.items())]
    return [
        *(_row(name, hues, BLOCK) for name, hues in rows),
        _row("subtext (`-#`) of a card, which lies on the same two", SUBTEXT, CARD),
        _row("subtext of `plain`, on #313338 and white", SUBTEXT, CHAT),
    ]


def _row(name: str, hues: dict[str, str], grounds: dict[str, str]) -> str:
    return f"| {name} | {' | '.join(f'{contrast(hues[it], grounds[it]):.2f}' for it in ('dark', 'light'))} |"
