"""`/feed`: what the live messages of a server do, for operators and those who manage the server."""

from discord import app_commands
from discord.ext import commands

from bot.client import BotInteraction, GexBot
from bot.feed.status_text import feed_text
from bot.lookup import boards_here
from bot.permissions import manager_only, managers_see
from bot.services import Services


@managers_see()
class FeedCog(commands.GroupCog, group_name="feed", group_description="The live messages of this server"):
    """Look at the live messages."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(description="What each live message of this server is doing, and why")
    @manager_only()
    async def status(self, interaction: BotInteraction) -> None:
        """What each live message does; others' servers are counted for operators and named to nobody."""
        feed, now = self._services.feed, self._services.clock.now()
        if feed is None:
            await interaction.response.send_message(
                "Live messages are switched off (GEX_FEED_ENABLED).", ephemeral=True
            )
            return
        status, boards = feed.status(), boards_here(interaction, feed)
        elsewhere = len(status.boards) - len(boards) if interaction.user.id in interaction.client.operators else 0
        await interaction.response.send_message(feed_text(status, boards, now, elsewhere=elsewhere), ephemeral=True)


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(FeedCog(bot.services))
