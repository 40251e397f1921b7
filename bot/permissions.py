"""Who may do what: the check at run time, always paired with the default that Discord itself applies.

Discord hides a command from members without its default permission, but a server admin can hand the
command to anybody, and a client can send what it was never offered: the check at run time decides.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import discord
from discord import app_commands

from bot.notices import Interaction, Refusal

T = TypeVar("T")
OPERATOR_REFUSAL: Final = "This command is for the bot's operators."
_ASK: Final = "Ask {who}; whoever runs the bot adds others by DISCORD_OPERATOR_IDS or DISCORD_OPERATOR_ROLE_IDS."
MANAGER_REFUSAL: Final = "This command is for members who may manage this server, and for the bot's operators."
_MANAGERS: Final = discord.Permissions(manage_guild=True)


async def require_operator(interaction: Interaction) -> bool:
    """True for an operator of this bot; Refusal for everybody else."""
    if is_operator(interaction):
        return True
    whom = interaction.client.operators.words or "whoever runs the bot"
    raise Refusal(f"{OPERATOR_REFUSAL} {_ASK.format(who=whom)}")


def is_operator(interaction: Interaction) -> bool:
    """Whether the person who asked is an operator of this bot, by id or by a role held where they ask."""
    return bool(interaction.client.operators.include(interaction.user))


def operator_only() -> Callable[[T], T]:
    """Decorate every operator command with this, and the group it is in with `managers_see()`."""
    return app_commands.check(require_operator)


def managers_see() -> Callable[[T], T]:
    """Offer a group only to members who manage the server, so that guests do not see it."""
    return app_commands.default_permissions(_MANAGERS)


async def require_manager(interaction: Interaction) -> bool:
    """True for who may manage the server and for operators of this bot; Refusal for everybody else."""
    if may_manage(interaction) or is_operator(interaction):
        return True
    raise Refusal(MANAGER_REFUSAL)


def manager_only() -> Callable[[T], T]:
    """Decorate every command for server admins with this, and the group it is in with `managers_see()`."""
    return app_commands.check(require_manager)


def may_speak(interaction: Interaction) -> bool:
    """Whether the person who asked may write in the channel they asked in; always so in a direct message."""
    return interaction.guild_id is None or _may_send(interaction, interaction.permissions)


def may_manage(interaction: Interaction) -> bool:
    """Whether the person who asked may manage the server they asked in: Discord's default for a server's settings."""
    return interaction.guild_id is not None and interaction.permissions.manage_guild and is_installed_here(interaction)


def is_installed_here(interaction: Interaction) -> bool:
    """Whether the bot is where it was asked: not so in a server to which a person brings it as an app of their own."""
    return interaction.is_guild_integration() or not interaction.is_user_integration()


def bot_may_write(interaction: Interaction) -> bool:
    """Whether the bot itself may write where it was asked."""
    own = interaction.app_permissions
    here = is_installed_here(interaction) and own.view_channel
    return interaction.guild_id is None or (here and _may_send(interaction, own))


def _may_send(interaction: Interaction, held: discord.Permissions) -> bool:
    return held.send_messages_in_threads if isinstance(interaction.channel, discord.Thread) else held.send_messages
