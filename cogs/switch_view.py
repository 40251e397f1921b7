"""Buttons that switch what one message shows in place: a choice of several parts, each changed by a click."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import discord

from bot.notices import Interaction
from bot.views import AskerView
from streaming.model import SCOPES, WEIGHT_NAMES, WEIGHTS

_CHOSEN: Final = discord.ButtonStyle.primary
_OTHER: Final = discord.ButtonStyle.secondary
V = TypeVar("V", bound="SwitchView")


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
        """A button for each choice of expiries."""
        for scope in SCOPES:
            self.add_item(ChoiceButton(scope.capitalize(), row, scope=scope))

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
        await self._place().show(interaction, **self._choice)

    def mark(self, shown: Any) -> None:
        """Tell what is on show from what can be chosen."""
        chosen = bool(self._choice) and all(getattr(shown, name) == value for name, value in self._choice.items())
        self.style = _CHOSEN if chosen else _OTHER
        self.disabled = not chosen and not self._place().can_choose(self._choice, shown)

    def _place(self) -> SwitchView:
        if self.view is None:
            raise TypeError("a button that switches lives in a SwitchView")
        return self.view


def view_of(item: discord.ui.Item[Any], kind: type[V]) -> V:
    """The view that an item was put into."""
    view = item.view
    if not isinstance(view, kind):
        raise TypeError(f"this item lives in a {kind.__name__}")
    return view
