"""What `/gex explain` answers: what a figure means, by which convention, and how this snapshot got it. Pure."""

from datetime import datetime
from typing import Final

import discord

from bot.render.explain.data import made_of, own_figures
from bot.render.explain.figures import board_value, here
from bot.render.explain.words import BOARD_LINES, MEANINGS
from bot.render.theme import EMBED_COLOUR
from streaming.model import GexSnapshot, WeightName

FIGURES: Final[dict[str, str]] = {name: meaning.title for name, meaning in MEANINGS.items()}
"""Every figure that can be explained, with its title."""
_BY_VOLUME: Final = frozenset({"ladder_split", "net_gex", "max_change"})
_MOST_CHARS: Final = 1024
_ASSUMPTION: Final = (
    "Who holds which contract is not known: it is assumed that dealers are long the calls and short the puts. "
    "A model, not an observation."
)


def explain_embed(snapshot: GexSnapshot, figure: str | None, *, now: datetime) -> discord.Embed:
    """One figure in two or three sentences, or without a figure every line of the live message in one."""
    embed = discord.Embed(colour=EMBED_COLOUR)
    if figure is None:
        embed.title = f"{snapshot.ticker} · what the live message shows"
        embed.description = "\n".join(_line(snapshot, name) for name in BOARD_LINES)
    else:
        embed.title = f"{snapshot.ticker} · {MEANINGS[figure].title}"
        embed.description = explanation(snapshot, figure)
    weight: WeightName = "vol" if figure in _BY_VOLUME else "oi"
    embed.add_field(name="Made of", value=made_of(snapshot, weight, now=now)[:_MOST_CHARS], inline=False)
    embed.set_footer(text=_ASSUMPTION)
    return embed


def explanation(snapshot: GexSnapshot, figure: str) -> str:
    """What the figure means, its convention, and what it is in this snapshot."""
    return f"{MEANINGS[figure].text} {here(snapshot, figure)}"


def _line(snapshot: GexSnapshot, name: str) -> str:
    words = BOARD_LINES[name]
    if name == "zero_gamma" and own_figures(snapshot) is None:
        words = "the classic zero gamma of its producer: the ladder split by volume"
    return f"**{MEANINGS[name].title}** {board_value(snapshot, name)}: {words}."
