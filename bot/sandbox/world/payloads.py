"""The guild's records as Discord's JSON objects."""

from datetime import datetime
from typing import Final
from urllib.parse import quote

from bot.sandbox.world.permission_bits import permissions_in
from bot.sandbox.world.records import (
    Attachment,
    Channel,
    ChannelKind,
    Guild,
    Json,
    Member,
    Message,
    MessageFlag,
    Role,
    User,
)
from bot.sandbox.world.snowflakes import created_at
from bot.sandbox.world.world import World

MEMBER_INTENT = 1 << 1
_UNSET_OF_GUILD: Final = (
    *("icon", "splash", "discovery_splash", "banner", "description", "afk_channel_id", "system_channel_id"),
    *("rules_channel_id", "public_updates_channel_id", "vanity_url_code"),
)
_EMPTY_OF_GUILD: Final = (
    *("presences", "voice_states", "stage_instances", "guild_scheduled_events", "soundboard_sounds"),
)


def user_json(user: User) -> Json:
    """A user as Discord writes one."""
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": None if user.bot else user.display_name,
        "discriminator": "0",
        "avatar": None,
        "bot": user.bot,
        "system": False,
        "public_flags": 0,
    }


def own_user_json(world: World) -> Json:
    """The bot's own account as only the bot sees it."""
    return {**user_json(world.bot), "verified": True, "mfa_enabled": True, "email": None, "flags": 0}


def member_json(guild: Guild, member: Member, *, with_user: bool = True) -> Json:
    """A member; messages carry the user beside it, hence `with_user`."""
    body: Json = {
        "roles": [str(role_id) for role_id in member.role_ids],
        "nick": member.nick,
        "avatar": None,
        "joined_at": instant(created_at(guild.id)),
        "premium_since": None,
        "communication_disabled_until": None if member.timed_out_until is None else instant(member.timed_out_until),
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
    }
    return {**body, "user": user_json(member.user)} if with_user else body


def member_in_json(guild: Guild, channel: Channel, member: Member) -> Json:
    """A member as an interaction shows it: with its permissions in the channel."""
    return {**member_json(guild, member), "permissions": str(permissions_in(guild, channel, member))}


def role_json(role: Role) -> Json:
    """A role; permissions are text, since they outgrow JavaScript's numbers."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": role.managed,
        "mentionable": False,
        "flags": 0,
    }


def channel_json(guild: Guild, channel: Channel) -> Json:
    """A channel, thread or direct channel: three shapes."""
    last = None if channel.last_message_id is None else str(channel.last_message_id)
    if channel.recipient is not None:
        return {
            "id": str(channel.id),
            "type": int(channel.kind),
            "recipients": [user_json(channel.recipient)],
            "last_message_id": last,
            "flags": 0,
        }
    body: Json = {
        "id": str(channel.id),
        "type": int(channel.kind),
        "guild_id": str(guild.id),
        "name": channel.name,
        "rate_limit_per_user": 0,
        "parent_id": None if channel.parent_id is None else str(channel.parent_id),
        "last_message_id": last,
        "flags": 0,
    }
    return body | (_thread_parts(guild, channel) if channel.is_thread else _channel_parts(channel))


def _thread_parts(guild: Guild, thread: Channel) -> Json:
    opened_at = instant(created_at(thread.id))
    return {
        "owner_id": str(guild.owner_id),
        "message_count": len(thread.messages),
        "member_count": 1,
        "total_message_sent": len(thread.messages),
        "thread_metadata": {
            "archived": thread.archived,
            "locked": thread.locked,
            "auto_archive_duration": 1440,
            "archive_timestamp": opened_at,
            "create_timestamp": opened_at,
        },
    }


def _channel_parts(channel: Channel) -> Json:
    parts: Json = {
        "topic": channel.topic,
        "position": channel.position,
        "nsfw": False,
        "permission_overwrites": [
            {"id": str(target), "type": overwrite.kind, "allow": str(overwrite.allow), "deny": str(overwrite.deny)}
            for target, overwrite in channel.overwrites.items()
        ],
    }
    if channel.kind in {ChannelKind.VOICE, ChannelKind.STAGE}:
        return parts | {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
    if channel.kind is ChannelKind.FORUM:
        return parts | {"available_tags": [], "default_reaction_emoji": None, "default_sort_order": None}
    return parts


def guild_json(world: World) -> Json:
    """The guild as `GET /guilds/{id}` shows it."""
    guild = world.guild
    return {
        **dict.fromkeys(_UNSET_OF_GUILD),
        **dict.fromkeys(("verification_level", "explicit_content_filter", "mfa_level", "nsfw_level"), 0),
        **dict.fromkeys(("features", "emojis", "stickers"), ()),
        "id": str(guild.id),
        "name": guild.name,
        "owner_id": str(guild.owner_id),
        "afk_timeout": 300,
        "default_message_notifications": 1,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "roles": [role_json(role) for role in guild.roles.values()],
        "system_channel_flags": 0,
        "approximate_member_count": len(guild.members),
    }


def guild_create_json(world: World, intents: int) -> Json:
    """The guild as the gateway announces it; without the members intent only the bot is listed."""
    guild = world.guild
    visible = guild.members.values() if intents & MEMBER_INTENT else [world.bot_member]
    return {
        **guild_json(world),
        "joined_at": instant(created_at(guild.id)),
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "members": [member_json(guild, member) for member in visible],
        "channels": [channel_json(guild, channel) for channel in world.guild_channels],
        "threads": [channel_json(guild, thread) for thread in world.active_threads],
        **dict.fromkeys(_EMPTY_OF_GUILD, ()),
    }


def attachment_json(attachment: Attachment, origin: str) -> Json:
    """A file of a message; `origin` is scheme, host and port of this server, or empty for a path."""
    url = attachment_url(attachment, origin)
    body: Json = {
        "id": str(attachment.id),
        "filename": attachment.filename,
        "size": len(attachment.data),
        "url": url,
        "proxy_url": url,
        "content_type": attachment.content_type,
    }
    if attachment.description is not None:
        body["description"] = attachment.description
    if attachment.width is not None:
        body |= {"width": attachment.width, "height": attachment.height}
    return body


def attachment_url(attachment: Attachment, origin: str) -> str:
    """Where the page and the bot fetch a file; signed and short-lived at Discord, plain here."""
    return f"{origin}/attachments/{attachment.id}/{quote(attachment.filename)}"


def message_json(world: World, message: Message, origin: str) -> Json:
    """A message as REST and gateway show it to the bot."""
    body: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel_id),
        "type": int(message.kind),
        "author": user_json(message.author),
        "content": message.content,
        "timestamp": instant(message.created_at),
        "edited_timestamp": None if message.edited_at is None else instant(message.edited_at),
        "tts": message.tts,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [attachment_json(item, origin) for item in message.attachments if not item.inline],
        "embeds": [] if message.flags & MessageFlag.SUPPRESS_EMBEDS else message.embeds,
        "components": message.components,
        "pinned": False,
        "flags": message.flags,
    }
    return body | _optional_parts(world, message)


def _optional_parts(world: World, message: Message) -> Json:
    parts: Json = {}
    if message.nonce is not None:
        parts["nonce"] = message.nonce
    if message.reply_to is not None:
        reference = {"type": 0, "channel_id": str(message.channel_id), "message_id": str(message.reply_to)}
        parts["message_reference"] = {**reference, "guild_id": str(world.guild.id)}
    if message.origin is not None:
        parts |= {"application_id": str(world.application_id), "webhook_id": str(world.application_id)}
        parts["interaction_metadata"] = {
            "id": str(message.origin.interaction_id),
            "type": message.origin.kind,
            "user": user_json(message.origin.user),
            "name": message.origin.name,
            "authorizing_integration_owners": {"0": str(world.guild.id)},
        }
    return parts


def instant(moment: datetime) -> str:
    """An instant as Discord writes it: ISO 8601 with microseconds and offset."""
    return moment.isoformat(timespec="microseconds")
