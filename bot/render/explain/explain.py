"""What `/gex explain` answers: what a figure means, by which convention, and how this snapshot got it. Pure."""

from datetime import datetime
from typing import Final

import discord

from bot.render.explain.data import made_of, own_figures
from bot.render.explain.figure_texts import board_value, here
from bot.render.theme import EMBED_COLOUR
from streaming.figures import BOARD, FIGURES
from streaming.model import GexSnapshot, WeightName

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
        embed.description = "\n".join(_line(snapshot, name) for name in BOARD)
    else:
        embed.title = f"{snapshot.ticker} · {FIGURES[figure].title}"
        embed.description = explanation(snapshot, figure)
    weight: WeightName = "oi" if figure is None else FIGURES[figure].weight
    embed.add_field(name="Made of", value=made_of(snapshot, weight, now=now)[:_MOST_CHARS], inline=False)
    embed.set_footer(text=_ASSUMPTION)
    return embed


def explanation(snapshot: GexSnapshot, figure: str) -> str:
    """What the figure means, its convention, and what it is in this snapshot."""
    return f"{FIGURES[figure].text} {here(snapshot, figure)}"


def _line(snapshot: GexSnapshot, name: str) -> str:
    words = BOARD[name].words
    if name == "zero_gamma" and own_figures(snapshot) is None:
        words = "the classic zero gamma of its producer: the ladder split by volume"
    return f"**{FIGURES[name].title}** {board_value(snapshot, name)}: {words}."
