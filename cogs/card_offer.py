"""What `/feed add` proposes: a bot cannot tell which servers are read on phones, but whoever orders a message can."""

from collections.abc import Awaitable, Callable
from typing import Final

import discord

from bot.client import BotInteraction
from bot.notices import Interaction
from bot.views import AskerView, view_of

HINT: Final = "-# Phones show this style without its colours. If the server is read on phones, take the card style."
Take = Callable[[], Awaitable[str]]


class CardOffer(AskerView):
    """One button, for who ordered the message."""

    def __init__(self, asked: BotInteraction, take: Take) -> None:
        """`take` chooses the card style, and gives what is then said."""
        super().__init__(asked)
        self.take = take
        self.add_item(CardButton())


class CardButton(discord.ui.Button[CardOffer]):
    """Takes the card style."""

    def __init__(self) -> None:
        super().__init__(label="Use the card style")

    async def callback(self, interaction: Interaction) -> None:
        """Choose it, once."""
        offer = view_of(self, CardOffer)
        await interaction.response.defer()
        text = await offer.take()
        offer.stop()
        await interaction.edit_original_response(content=text, view=None)
