"""What commands ask alike: the words of an option, its choices, how a ticker completes itself; said once for all."""

from collections.abc import Callable, Iterable
from inspect import signature
from itertools import islice
from typing import Any, Final, TypeVar

from discord import app_commands
from discord.app_commands import Choice

from bot.client import BotInteraction
from bot.lookup import matching_names
from streaming.model import SCOPE_WORDS, SCOPES, WEIGHT_WORDS, WEIGHTS

C = TypeVar("C", bound=Callable[..., Any])
V = TypeVar("V", str, int)
_MOST_CHOICES: Final = 25
_CHOICE_CHARS: Final = 100
_WORDS: Final = {
    "symbol": "A ticker such as SPX or NQ_NDX; without it, the one this channel shows",
    "scope": "Which expiries; without it, those of this channel's live message",
    "weight": "Open interest or today's volume; without it, as in this channel's live message",
    "view": "Whose points to use; without it, the ticker's own",
    "public": "Show the answer to everybody in this channel",
}
_CHOICES: Final = {
    "scope": [Choice(name=f"{name}: {SCOPE_WORDS[name]}", value=name) for name in SCOPES],
    "weight": [Choice(name=f"{name}: by {WEIGHT_WORDS[name]}", value=name) for name in WEIGHTS],
    "view": [
        Choice(name="native: the ticker's own points", value="native"),
        Choice(name="index: points of the index, such as SPX", value="index"),
        Choice(name="etf: points of the ETF, such as SPY", value="etf"),
        Choice(name="future: points of the future, such as /ES", value="future"),
    ],
}


def options(**own: str) -> Callable[[C], C]:
    """Describe a command's options by its own words, else by the shared ones; those come with their choices."""

    def described(command: C) -> C:
        asked = signature(command).parameters
        words = {name: text for name, text in (_WORDS | own).items() if name in asked}
        choices: dict[str, list[Choice[str]]] = {name: found for name, found in _CHOICES.items() if name in asked}
        if "symbol" in asked:
            command = app_commands.autocomplete(symbol=_complete_symbol)(command)
        return app_commands.describe(**words)(app_commands.choices(**choices)(command))

    return described


async def _complete_symbol(interaction: BotInteraction, current: str) -> list[Choice[str]]:
    return offered((name, name) for name in matching_names(interaction.client.services, current))


def offered(found: Iterable[tuple[str, V]]) -> list[Choice[V]]:
    """What completes an option, of (words, value) as many as Discord takes and as long as it does."""
    return [Choice(name=words[:_CHOICE_CHARS], value=value) for words, value in islice(found, _MOST_CHOICES)]
