"""What a channel of each kind takes from a bot with certain permissions, as far as Discord has told or shown it."""

from typing import Final

from bot.sandbox.world.api_errors import missing_access, missing_permissions, refusal
from bot.sandbox.world.permission_bits import Permission
from bot.sandbox.world.records import Channel, ChannelKind

_SPOKEN: Final = {ChannelKind.VOICE, ChannelKind.STAGE}
_WITHOUT_MESSAGES: Final = {ChannelKind.CATEGORY, ChannelKind.FORUM}


def require_visible(channel: Channel, held: int) -> None:
    """Raise 50001 for a channel the bot cannot see; the text of a voice channel needs Connect too."""
    may_connect = channel.kind not in _SPOKEN or held & Permission.CONNECT
    if not held & Permission.VIEW_CHANNEL or not may_connect:
        raise missing_access()


def require_postable(channel: Channel, held: int) -> None:
    """Raise what Discord refuses a post with; an archived thread takes one and opens again."""
    if channel.kind in _WITHOUT_MESSAGES:
        raise refusal(50008)
    if not held & (Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES):
        raise missing_permissions()
    _require_unlocked(channel, held)


def require_editable(channel: Channel, held: int) -> None:
    """Raise 50083 in an archived thread and 160005 in a locked one; deleting stays possible in both."""
    if channel.archived:
        raise refusal(50083)
    _require_unlocked(channel, held)


def _require_unlocked(channel: Channel, held: int) -> None:
    if channel.locked and not held & Permission.MANAGE_THREADS:
        raise refusal(160005)
