"""Changes of the world as gateway events."""

from typing import NamedTuple

from bot.sandbox.payloads import channel_json, member_json, message_json
from bot.sandbox.records import Json, Message
from bot.sandbox.world import (
    Change,
    ChannelDeleted,
    ChannelUpdated,
    CommandsChanged,
    DirectChannelOpened,
    MessageCreated,
    MessageDeleted,
    MessageUpdated,
    World,
)

GUILDS, GUILD_MESSAGES, DIRECT_MESSAGES = 1 << 0, 1 << 9, 1 << 12


class GatewayEvent(NamedTuple):
    """What is dispatched, and the intent that a session needs to hear it."""

    name: str
    data: Json
    intent: int


def gateway_event(world: World, change: Change, origin: str) -> GatewayEvent | None:
    """The event that tells bots of a change, or None when they are not told; ephemeral messages never are."""
    match change:
        case MessageCreated(message):
            return _message_event(world, "MESSAGE_CREATE", message, origin)
        case MessageUpdated(message):
            return _message_event(world, "MESSAGE_UPDATE", message, origin)
        case MessageDeleted(message):
            return _message_event(world, "MESSAGE_DELETE", message, origin)
        case ChannelUpdated(channel):
            return GatewayEvent("CHANNEL_UPDATE", channel_json(world.guild, channel), GUILDS)
        case ChannelDeleted(channel):
            return GatewayEvent("CHANNEL_DELETE", channel_json(world.guild, channel), GUILDS)
        case CommandsChanged() | DirectChannelOpened():
            return None


def _message_event(world: World, name: str, message: Message, origin: str) -> GatewayEvent | None:
    if message.ephemeral_for is not None:
        return None
    if world.channel(message.channel_id).recipient is not None:
        return GatewayEvent(name, _message_data(world, name, message, origin), DIRECT_MESSAGES)
    place: Json = {"guild_id": str(world.guild.id)}
    if name != "MESSAGE_DELETE":
        place["member"] = member_json(world.guild, world.bot_member, with_user=False)
    return GatewayEvent(name, _message_data(world, name, message, origin) | place, GUILD_MESSAGES)


def _message_data(world: World, name: str, message: Message, origin: str) -> Json:
    if name == "MESSAGE_DELETE":
        return {"id": str(message.id), "channel_id": str(message.channel_id)}
    return message_json(world, message, origin)
