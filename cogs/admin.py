"""`/admin`: operators look at the process itself, and at who changed what."""

import io

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import BotInteraction, GexBot
from bot.notices import think
from bot.operate.audit import audit_file, audit_text, names_of
from bot.permissions import managers_see, operator_only
from bot.render.health_text import health_text
from bot.services import Services


@managers_see()
class AdminCog(commands.GroupCog, group_name="admin", group_description="The bot itself, for operators"):
    """Health of the process, and the orders it was given."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Discord, jobs, lag, Redis, sources and budgets: what is wrong first")
    @operator_only()
    async def health(self, interaction: BotInteraction) -> None:
        """How the process is, and what it stands on."""
        await think(interaction)
        text = health_text(await self._services.health(), self._services.clock.now())
        await interaction.edit_original_response(content=text)

    @app_commands.command(description="Who changed what by a command: the last 200, kept for 90 days")
    @operator_only()
    async def audit(self, interaction: BotInteraction) -> None:
        """The orders that were carried out, newest first."""
        await think(interaction)
        orders, names = await self._services.audit.newest(), names_of(interaction.client)
        await interaction.edit_original_response(
            content=audit_text(orders, names), attachments=_as_file(audit_file(orders, names))
        )


def _as_file(text: str) -> list[discord.File]:
    return [discord.File(io.BytesIO(text.encode()), filename="audit.txt")] if text else []


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_operator_cog(AdminCog(bot.services))
