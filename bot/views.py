"""Bases of everything that can be clicked or filled in: errors become notices, strangers are refused, time ends it."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import discord

from bot.notices import Interaction, Refusal, answer_error

IDLE_S = 300.0
"""Buttons retire after this long without a click; well within the fifteen minutes an interaction's token lives."""


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
