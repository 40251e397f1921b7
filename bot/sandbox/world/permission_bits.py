"""Discord's permission bits and how a member's are worked out in a channel."""

from collections.abc import Iterable
from datetime import datetime
from enum import IntFlag

from bot.sandbox.world.records import Channel, Guild, Member


class Permission(IntFlag):
    """The bits this server looks at, by Discord's numbering."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    CHANGE_NICKNAME = 1 << 26
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    SEND_MESSAGES_IN_THREADS = 1 << 38


ALL_PERMISSIONS = (1 << 53) - 1
EVERYONE = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.CONNECT
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_APPLICATION_COMMANDS
)
ORDINARY_BOT = EVERYONE | Permission.EMBED_LINKS | Permission.ATTACH_FILES | Permission.USE_EXTERNAL_EMOJIS

_LEFT_IN_TIME_OUT = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY


def held_by(guild: Guild, channel: Channel, member: Member, now: datetime) -> int:
    """The member's permissions in the channel at an instant: who is timed out may only look and read."""
    held = permissions_in(guild, channel, member)
    if held == ALL_PERMISSIONS or member.timed_out_until is None or member.timed_out_until <= now:
        return held
    return held & _LEFT_IN_TIME_OUT


def permissions_in(guild: Guild, channel: Channel, member: Member) -> int:
    """The member's permissions in the channel: roles, then overwrites of everyone, roles and the member."""
    base = guild_permissions(guild, member)
    if base == ALL_PERMISSIONS:
        return base
    base = _overwrite(base, channel, [guild.id])
    base = _overwrite(base, channel, member.role_ids)
    return _overwrite(base, channel, [member.user.id])


def guild_permissions(guild: Guild, member: Member) -> int:
    """The member's permissions by roles alone; the owner and administrators have all."""
    base = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        base |= guild.roles[role_id].permissions
    if member.user.id == guild.owner_id or base & Permission.ADMINISTRATOR:
        return ALL_PERMISSIONS
    return base


def _overwrite(base: int, channel: Channel, target_ids: Iterable[int]) -> int:
    allow = deny = 0
    for target_id in target_ids:
        overwrite = channel.overwrites.get(target_id)
        if overwrite is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    return (base & ~deny) | allow
