"""Changes of the world as gateway events."""

from typing import NamedTuple

from bot.sandbox.world.changes import (
    Change,
    ChannelChange,
    CommandsChanged,
    Deed,
    DirectChannelOpened,
    GuildJoined,
    GuildLeft,
    MemberUpdated,
    MessageChange,
    RoleUpdated,
)
from bot.sandbox.world.payloads import channel_json, guild_create_json, member_json, message_json, role_json
from bot.sandbox.world.records import Json, Message
from bot.sandbox.world.world import World

EVERYBODY = 0
GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 0, 1 << 9, 1 << 12


class GatewayEvent(NamedTuple):
    """What is dispatched, and the intent that a session needs to hear it."""

    name: str
    data: Json
    intent: int


def gateway_event(world: World, change: Change, origin: str) -> GatewayEvent | None:
    """The event that tells bots of a change, or None when they are not told; ephemeral messages never are."""
    match change:
        case MessageChange(deed, message):
            return _message_event(world, deed, message, origin)
        case ChannelChange(deed, channel):
            noun = "THREAD" if channel.is_thread else "CHANNEL"
            return GatewayEvent(f"{noun}_{deed}", channel_json(world.guild, channel), GUILDS)
        case RoleUpdated() | MemberUpdated() | GuildLeft() | GuildJoined():
            return _guild_event(world, change)
        case CommandsChanged() | DirectChannelOpened():
            return None


def _guild_event(world: World, change: RoleUpdated | MemberUpdated | GuildLeft | GuildJoined) -> GatewayEvent:
    """What happens to the guild as a whole; a member update is the bot's own, which needs no intent."""
    place: Json = {"guild_id": str(world.guild.id)}
    match change:
        case RoleUpdated(role):
            return GatewayEvent("GUILD_ROLE_UPDATE", place | {"role": role_json(role)}, GUILDS)
        case MemberUpdated(member):
            return GatewayEvent("GUILD_MEMBER_UPDATE", place | member_json(world.guild, member), EVERYBODY)
        case GuildLeft():
            return GatewayEvent("GUILD_DELETE", {"id": str(world.guild.id)}, GUILDS)
        case GuildJoined():
            # Without `unavailable`, which only guilds of READY have: that is how clients tell an invitation.
            joined = {key: value for key, value in guild_create_json(world, GUILDS).items() if key != "unavailable"}
            return GatewayEvent("GUILD_CREATE", joined, GUILDS)


def _message_event(world: World, deed: Deed, message: Message, origin: str) -> GatewayEvent | None:
    if message.ephemeral_for is not None:
        return None
    gone = deed is Deed.DELETE
    data: Json = {"id": str(message.id), "channel_id": str(message.channel_id)}
    if not gone:
        data = message_json(world, message, origin)
    if world.channel(message.channel_id).recipient is not None:
        return GatewayEvent(f"MESSAGE_{deed}", data, DIRECT_MESSAGES)
    place: Json = {"guild_id": str(world.guild.id)}
    if not gone:
        place["member"] = member_json(world.guild, world.bot_member, with_user=False)
    return GatewayEvent(f"MESSAGE_{deed}", data | place, GUILD_MESSAGES)
