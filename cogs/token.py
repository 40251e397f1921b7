"""`/token`: operators look after the Schwab login."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import GexBot
from bot.notices import think
from bot.permissions import managers_see, operator_only
from bot.render.operations import token_text
from bot.services import Services
from cogs.login_view import LoginView

Interaction = discord.Interaction[GexBot]


@managers_see()
class TokenCog(commands.GroupCog, group_name="token", group_description="The Schwab login, for operators"):
    """Look at the login, renew its access token, and log in again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Whether the Schwab login works, and until when")
    @operator_only()
    async def status(self, interaction: Interaction) -> None:
        """Until when login and access token last."""
        text = token_text(self._services.tokens.status(), self._services.clock.now())
        await interaction.response.send_message(text, ephemeral=True)

    @app_commands.command(description="Renew the Schwab access token now")
    @operator_only()
    async def refresh(self, interaction: Interaction) -> None:
        """Renew the access token now; the seven days of the login stay as they are."""
        await think(interaction)
        status = await self._services.tokens.refresh()
        text = token_text(status, self._services.clock.now())
        await interaction.edit_original_response(content=f"The access token was renewed.\n{text}")

    @app_commands.command(description="Log in at Schwab again; needed once a week")
    @operator_only()
    async def login(self, interaction: Interaction) -> None:
        """The link for the weekly login, with a button to paste the address it ends on."""
        view = LoginView(interaction, self._services, self._services.tokens.begin_login())
        await interaction.response.send_message(view.text, view=view, ephemeral=True)


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(TokenCog(bot.services))
