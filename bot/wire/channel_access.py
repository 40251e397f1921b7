"""What the bot may do in a channel, computed from plain REST objects as Discord defines it. Pure.

Source: Discord's developer documentation, "Permissions": everyone's role, then roles, then the channel's overwrites for
everyone, for roles together, for the member; owner and administrator have all, and who is timed out only looks and
reads. A thread has the overwrites of its parent and a permission of its own for writing.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import discord

NEEDED: Final = discord.Permissions(
    view_channel=True, send_messages=True, embed_links=True, attach_files=True, read_message_history=True
)
"""What boards and answers use in a text channel."""
_TALK: Final = frozenset({2, 13})
"""Voice and stage channels: nothing goes without Connect."""
THREADS: Final = frozenset({10, 11, 12})
ANNOUNCEMENTS: Final = 5
POSTABLE_TYPES: Final = frozenset({0, ANNOUNCEMENTS}) | _TALK | THREADS
"""What takes messages; categories, forums and media channels do not."""

Json = Mapping[str, Any]


def needed_to_rename(kind: int) -> discord.Permissions:
    """What the bot needs to rename a channel of Discord's type `kind`."""
    return discord.Permissions(view_channel=True, manage_channels=True, connect=kind in _TALK)


def needed_in(kind: int, *, locked: bool = False) -> discord.Permissions:
    """What the bot needs in a channel of Discord's type `kind`; a locked thread takes messages of its managers only."""
    needed = discord.Permissions(NEEDED.value)
    needed.update(connect=kind in _TALK)
    if kind in THREADS:
        needed.update(send_messages=False, send_messages_in_threads=True, manage_threads=locked)
    return needed


def effective_permissions(
    guild: Json, role_ids: Collection[str], overwrites: Sequence[Json], member_id: str
) -> discord.Permissions:
    """What the member is granted in a channel with these overwrites; ids are strings as on the wire.

    What Discord takes away as a consequence, such as everything without View Channel, is left in: it is no grant that
    somebody would have to add.
    """
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
    return discord.Permissions(value)


def missing_permissions(permissions: discord.Permissions, needed: discord.Permissions = NEEDED) -> tuple[str, ...]:
    """What of `needed` is not there, in the words of Discord's own settings page."""
    lacking = discord.Permissions(needed.value & ~permissions.value)
    return tuple(_WORDS[name] for name in _WORDS if getattr(lacking, name))


def timed_out_until(member: Json, permissions: discord.Permissions, now: datetime) -> datetime | None:
    """Until when the member may only look and read; None for who may write, administrators always."""
    text = member.get("communication_disabled_until")
    until = discord.utils.parse_time(text) if isinstance(text, str) else None
    return None if until is None or until <= now or permissions.administrator else until


_WORDS: Final = {
    "view_channel": "View Channel",
    "connect": "Connect",
    "send_messages": "Send Messages",
    "send_messages_in_threads": "Send Messages in Threads",
    "manage_threads": "Manage Threads",
    "manage_channels": "Manage Channels",
    "change_nickname": "Change Nickname",
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
