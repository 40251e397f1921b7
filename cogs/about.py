"""`/help` and `/about`: what one can ask, and whom one is talking to."""

from collections.abc import Iterator
from typing import Final

from discord import app_commands
from discord.ext import commands

from bot.client import BotInteraction, GexBot
from bot.permissions import is_operator, may_manage
from bot.render.about_text import HelpLine, about_text, help_text

_FOR_MANAGERS: Final = frozenset({"feed"})


class AboutCog(commands.Cog):
    """What a stranger asks first; every answer is private."""

    @app_commands.command(name="help", description="What you can ask me here, in one line each")
    async def show_help(self, interaction: BotInteraction) -> None:
        """The commands of whoever asks, one line each."""
        await interaction.response.send_message(help_text(_lines(interaction)), ephemeral=True)

    @app_commands.command(description="Version, source, who runs this bot, and what it keeps about you")
    async def about(self, interaction: BotInteraction) -> None:
        """Whom one is talking to."""
        await interaction.response.send_message(about_text(interaction.client.operators.words), ephemeral=True)


def _lines(interaction: BotInteraction) -> Iterator[HelpLine]:
    """What this person may use where they ask, in the order of registration; what few may use, one line a group."""
    bot = interaction.client
    homes = [None] if bot.home is None or interaction.guild_id != bot.home.id else [None, bot.home]
    for root in (root for home in homes for root in bot.tree.get_commands(guild=home)):
        if isinstance(root, app_commands.Group):
            yield from _lines_of(root, interaction)
        elif isinstance(root, app_commands.Command):
            yield HelpLine(root.name, root.description)


def _lines_of(group: app_commands.Group, interaction: BotInteraction) -> Iterator[HelpLine]:
    leaves = [leaf for leaf in group.walk_commands() if isinstance(leaf, app_commands.Command)]
    if group.default_permissions is None:
        yield from (HelpLine(leaf.qualified_name, leaf.description) for leaf in leaves)
    elif is_operator(interaction) or (may_manage(interaction) and group.name in _FOR_MANAGERS):
        names = ", ".join(leaf.qualified_name.removeprefix(group.name).strip() for leaf in leaves)
        yield HelpLine(group.name, f"{names}: {group.description[:1].lower()}{group.description[1:]}")


async def setup(bot: GexBot) -> None:
    """Called by discord.py when the extension is loaded."""
    await bot.add_cog(AboutCog())
