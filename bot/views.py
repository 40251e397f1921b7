"""Bases of everything that can be clicked or filled in: errors become notices, strangers are refused, time ends it.

A view that switches shows a choice of several parts, each changed in place by a click.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import aiohttp
import discord

from bot.notices import Interaction, Refusal, answer_error
from streaming.model import SCOPE_WORDS, SCOPES, WEIGHT_NAMES, WEIGHTS

IDLE_S = 300.0
"""Buttons retire after this long without a click; well within the fifteen minutes an interaction's token lives."""
MOST_OPTIONS: Final = 25
"""Of a menu."""
_DESCRIPTION_CHARS: Final = 100
_CHOSEN: Final = discord.ButtonStyle.primary
_OTHER: Final = discord.ButtonStyle.secondary
V = TypeVar("V", bound=discord.ui.View)


class AskerView(discord.ui.View):
    """Buttons for the one person who asked; after `IDLE_S` without a click they are shown disabled."""

    def __init__(self, asked: Interaction, *, timeout: float = IDLE_S) -> None:
        super().__init__(timeout=timeout)
        self._asker_id = asked.user.id
        self._edit: Callable[..., Awaitable[Any]] = asked.edit_original_response
        self._idle_s = timeout

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        if interaction.user.id != self._asker_id:
            raise Refusal("These buttons belong to whoever asked. Use the command yourself to get your own.")
        return True

    def shown_by(self, interaction: Interaction) -> None:
        """Note whose answer is the message with the buttons now; its token may edit it, a form's may not.

        Counts as a click, which a form alone does not.
        """
        self._edit = interaction.edit_original_response
        self.timeout = self._idle_s

    def shown_as(self, message: discord.WebhookMessage) -> None:
        """Note the message with the buttons where it is not the first answer itself."""
        self._edit = message.edit

    def last_words(self) -> dict[str, Any]:
        """What else of the message changes when the buttons retire."""
        return {}

    async def on_error(self, interaction: Interaction, error: Exception, _item: discord.ui.Item[Any], /) -> None:
        await answer_error(interaction, error)

    async def on_timeout(self) -> None:
        for item in self.children:
            if isinstance(item, (discord.ui.Button, discord.ui.Select)):
                item.disabled = True
        try:
            await self._edit(view=self, **self.last_words())
        except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError):
            return  # dismissed or deleted: nothing is left to disable


class NoticeModal(discord.ui.Modal):
    """A form whose errors reach the person who filled it in."""

    async def on_error(  # type: ignore[override]  # discord.py itself gives a modal's hook one parameter less
        self, interaction: Interaction, error: Exception, /
    ) -> None:
        await answer_error(interaction, error)


@runtime_checkable
class Marked(Protocol):
    """An item that looks different for each choice."""

    def mark(self, shown: Any, /) -> None: ...


class SwitchView(AskerView, ABC):
    """One message and what is chosen in it; what is chosen is told from what can be by its colour."""

    @abstractmethod
    async def show(self, interaction: Interaction, **changes: Any) -> None:
        """Replace the message by the newest figures of a new choice; what is not named stays as it was."""

    def can_choose(self, _choice: Mapping[str, Any], _shown: Any) -> bool:
        """Whether a choice makes sense beside what is on show."""
        return True

    def mark(self, shown: Any) -> None:
        """Tell what is on show, whose attributes are the parts of a choice, from what can be chosen."""
        for item in self.children:
            if isinstance(item, Marked):
                item.mark(shown)

    def add_scopes(self, row: int) -> None:
        """A menu of the choices of expiries."""
        self.add_item(ChoiceSelect("scope", row, {name: (name.capitalize(), SCOPE_WORDS[name]) for name in SCOPES}))

    def add_weights(self, row: int) -> None:
        """A button for each choice of what contracts are weighted by."""
        for weight in WEIGHTS:
            self.add_item(ChoiceButton(WEIGHT_NAMES[weight].capitalize(), row, weight=weight))


class ChoiceButton(discord.ui.Button[SwitchView]):
    """Chooses one value of one part; without any it shows the newest figures of the same choice."""

    def __init__(self, label: str, row: int, **choice: Any) -> None:
        super().__init__(label=label, row=row)
        self._choice = choice

    async def callback(self, interaction: Interaction) -> None:
        """Switch the message to this choice."""
        await _place_of(self).show(interaction, **self._choice)

    def mark(self, shown: Any) -> None:
        """Tell what is on show from what can be chosen."""
        chosen = bool(self._choice) and all(getattr(shown, name) == value for name, value in self._choice.items())
        self.style = _CHOSEN if chosen else _OTHER
        self.disabled = not chosen and not _place_of(self).can_choose(self._choice, shown)

    def chooses(self, *parts: str) -> bool:
        """Whether what it chooses is one of these parts."""
        return not self._choice.keys().isdisjoint(parts)


class ChoiceSelect(discord.ui.Select[SwitchView]):
    """A menu of the values of one part of the choice: on a phone a menu takes one row, five buttons three."""

    def __init__(self, part: str, row: int, values: Mapping[str, tuple[str, str]]) -> None:
        """`values` are a label and a few words each."""
        options = [
            discord.SelectOption(label=label, value=value, description=words[:_DESCRIPTION_CHARS])
            for value, (label, words) in values.items()
        ]
        super().__init__(placeholder=part.capitalize(), row=row, options=options)
        self._part = part

    async def callback(self, interaction: Interaction) -> None:
        """Switch the message to the chosen value."""
        await _place_of(self).show(interaction, **{self._part: self.values[0]})

    def mark(self, shown: Any) -> None:
        """Show what is on show as the chosen one; nothing can be chosen where the kind has only that."""
        value = getattr(shown, self._part)
        for option in self.options:
            option.default = option.value == value
        self.disabled = not _place_of(self).can_choose({self._part: None}, shown)

    def chooses(self, *parts: str) -> bool:
        """Whether what it chooses is one of these parts."""
        return self._part in parts


def _place_of(item: discord.ui.Item[SwitchView]) -> SwitchView:
    if item.view is None:
        raise TypeError("what switches lives in a SwitchView")
    return item.view


def view_of(item: discord.ui.Item[Any], kind: type[V]) -> V:
    """The view that an item was put into."""
    view = item.view
    if not isinstance(view, kind):
        raise TypeError(f"this item lives in a {kind.__name__}")
    return view
