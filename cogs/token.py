"""`/token`: operators look after the Schwab login."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import GexBot
from bot.notices import think
from bot.permissions import operator_group, operator_only
from bot.render.operations import token_text
from bot.services import Services

Interaction = discord.Interaction[GexBot]


@operator_group()
class TokenCog(commands.GroupCog, group_name="token", group_description="The Schwab login, for operators"):
    """Look at the login and renew its access token."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Whether the Schwab login works, and until when")
    @operator_only()
    async def status(self, interaction: Interaction) -> None:
        text = token_text(self._services.tokens.status(), self._services.clock.now())
        await interaction.response.send_message(text, ephemeral=True)

    @app_commands.command(description="Renew the Schwab access token now")
    @operator_only()
    async def refresh(self, interaction: Interaction) -> None:
        await think(interaction)
        status = await self._services.tokens.refresh()
        text = token_text(status, self._services.clock.now())
        await interaction.edit_original_response(content=f"The access token was renewed.\n{text}")


async def setup(bot: GexBot) -> None:
    await bot.add_cog(TokenCog(bot.services))
