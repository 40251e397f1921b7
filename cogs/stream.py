"""`/stream`: operators steer the streamer."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import GexBot
from bot.notices import think
from bot.permissions import operator_group, operator_only
from bot.render.operations import stream_text
from bot.services import Services

Interaction = discord.Interaction[GexBot]


@operator_group()
class StreamCog(commands.GroupCog, group_name="stream", group_description="The market-data stream, for operators"):
    """Start, stop and look at the stream."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="Start streaming market data")
    @operator_only()
    async def start(self, interaction: Interaction) -> None:
        await think(interaction)
        report = await self._services.stream.start()
        await interaction.edit_original_response(content=report.sentence)

    @app_commands.command(description="Stop streaming market data")
    @operator_only()
    async def stop(self, interaction: Interaction) -> None:
        await think(interaction)
        report = await self._services.stream.stop()
        await interaction.edit_original_response(content=report.sentence)

    @app_commands.command(description="State, rates, symbols, reconnects and errors of the stream")
    @operator_only()
    async def status(self, interaction: Interaction) -> None:
        text = stream_text(self._services.stream.status(), self._services.clock.now())
        await interaction.response.send_message(text, ephemeral=True)


async def setup(bot: GexBot) -> None:
    await bot.add_cog(StreamCog(bot.services))
