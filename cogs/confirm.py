"""A question before something that many would notice: nothing happens until the person who asked presses the button."""

from collections.abc import Awaitable, Callable
from typing import Final

import discord

from bot.client import BotInteraction
from bot.notices import Interaction
from bot.operate.audit import clicked, wait_for_click
from bot.permissions import require_operator
from bot.render.message_form import MESSAGE_CHARS
from bot.views import AskerView, view_of

LIFE_S: Final = 60.0
_OVER: Final = "Nothing was changed: nobody confirmed it within a minute."
_KEPT: Final = "Nothing was changed."
_FAILED: Final = "That did not work."
Carry = Callable[[], Awaitable[str]]


class ConfirmView(AskerView):
    """*Do it* and *Cancel* for who asked; with `operators` only while they are one."""

    def __init__(self, asked: BotInteraction, label: str, carry: Carry, *, operators: bool = True) -> None:
        super().__init__(asked, timeout=LIFE_S)
        self._asked = asked
        self._carry = carry
        self._operators = operators
        wait_for_click(asked)
        self.add_item(ConfirmButton(label))
        self.add_item(CancelButton())

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """The person who asked; rights may have gone meanwhile."""
        mine = await super().interaction_check(interaction)
        return mine and (not self._operators or await require_operator(interaction))

    async def carry_out(self, interaction: Interaction) -> None:
        """Do it once, say what came of it, and have it noted."""
        self.stop()
        await interaction.response.edit_message(content="Working on it …", view=None)
        try:
            text = await self._carry()
        except Exception:
            await interaction.edit_original_response(content=_FAILED)
            raise
        await interaction.edit_original_response(content=text[:MESSAGE_CHARS])
        clicked(self._asked)
        command = self._asked.command
        if command is not None:
            await self._asked.client.services.audit.note(self._asked, command)

    async def cancel(self, interaction: Interaction) -> None:
        """Leave everything as it is."""
        self.stop()
        await interaction.response.edit_message(content=_KEPT, view=None)

    def last_words(self) -> dict[str, str]:
        """What the message says once nobody has pressed."""
        return {"content": _OVER}


class ConfirmButton(discord.ui.Button[ConfirmView]):
    """Does it."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, style=discord.ButtonStyle.danger)

    async def callback(self, interaction: Interaction) -> None:
        """Carry the order out."""
        await view_of(self, ConfirmView).carry_out(interaction)


class CancelButton(discord.ui.Button[ConfirmView]):
    """Does not."""

    def __init__(self) -> None:
        super().__init__(label="Cancel")

    async def callback(self, interaction: Interaction) -> None:
        """Forget the order."""
        await view_of(self, ConfirmView).cancel(interaction)


async def ask_first(
    interaction: BotInteraction, question: str, *, label: str, carry: Carry, operators: bool = True
) -> None:
    """Ask in private; `carry` runs when it is confirmed, and gives the sentence that is then shown."""
    view = ConfirmView(interaction, label, carry, operators=operators)
    await interaction.response.send_message(question, view=view, ephemeral=True)
