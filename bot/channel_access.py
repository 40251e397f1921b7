"""What the bot may do in a channel, computed from plain REST objects as Discord defines it. Pure.

Source: Discord's developer documentation, "Permissions", permission overwrites: everyone's role, then roles,
then the channel's overwrites for everyone, for roles together, for the member; owner and administrator have all.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import discord

NEEDED: Final = discord.Permissions(
    view_channel=True, send_messages=True, embed_links=True, attach_files=True, read_message_history=True
)
"""What boards and answers use."""
POSTABLE_TYPES: Final = frozenset({0, 2, 5, 13})
"""Text, voice, announcement and stage channels take messages."""

Json = Mapping[str, Any]


def effective_permissions(
    guild: Json, role_ids: Collection[str], overwrites: Sequence[Json], member_id: str
) -> discord.Permissions:
    """The member's permissions in a channel with these overwrites; ids are strings as on the wire."""
    everyone = str(guild["id"])
    if str(guild.get("owner_id")) == member_id:
        return discord.Permissions.all()
    held = {everyone, *role_ids}
    value = 0
    for role in guild["roles"]:
        if role["id"] in held:
            value |= int(role["permissions"])
    if discord.Permissions(value).administrator:
        return discord.Permissions.all()
    for ids in ({everyone}, set(role_ids) - {everyone}, {member_id}):
        value = _overwritten(value, [item for item in overwrites if item["id"] in ids])
    permissions = discord.Permissions(value)
    return permissions if permissions.view_channel else discord.Permissions.none()


def missing_permissions(permissions: discord.Permissions) -> tuple[str, ...]:
    """What of `NEEDED` is not there, in the words of Discord's own settings page."""
    lacking = discord.Permissions(NEEDED.value & ~permissions.value)
    return tuple(_WORDS[name] for name in _WORDS if getattr(lacking, name))


_WORDS: Final = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "embed_links": "Embed Links",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}


def _overwritten(value: int, overwrites: Sequence[Json]) -> int:
    denied = allowed = 0
    for item in overwrites:
        denied |= int(item.get("deny", 0))
        allowed |= int(item.get("allow", 0))
    return (value & ~denied) | allowed
