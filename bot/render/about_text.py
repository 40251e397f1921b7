"""What a stranger asks of a bot: what it can do, who runs it, what it keeps. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from bot.render.message_form import fitting
from streaming import __version__

SOURCE_URL: Final = "https://github.com/gexcord/gexcord"
_PRIVACY: Final = (
    "I read no messages and see no lists of members.",
    "For `/alert` I keep your Discord id with your alerts until you remove them.",
    "For commands that change something for others I keep who used them, for 90 days, for the operators.",
    "A command that fails leaves your Discord id in the log of whoever runs this bot.",
)


class HelpLine(NamedTuple):
    """A command, or a group of them, and what it is for."""

    name: str
    words: str


def help_text(lines: Iterable[HelpLine]) -> str:
    """`/help`: what the person who asked may use."""
    begin = [
        "I show where option dealers' gamma sits: walls, zero gamma, net GEX. Answers are private unless you say so."
    ]
    listed = [f"`/{line.name}` {line.words}" for line in lines]
    return fitting([*begin, *listed, "`/gex explain` says what each figure means."])


def about_text(operators: str) -> str:
    """`/about`: the version, where the program is from, whom to ask, and what is kept of people."""
    who = operators or "not known before I am logged in"
    lines = (
        f"**Gexcord {__version__}**, a program that anybody may run: <{SOURCE_URL}>",
        f"**Who runs this copy:** {who}",
        "**What it keeps about you:**",
        *(f"- {sentence}" for sentence in _PRIVACY),
        "Nothing here is investment advice.",
    )
    return "\n".join(lines)
