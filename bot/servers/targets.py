"""Whether a channel can hold a live message: looked at before it is accepted, and an archived thread opened again."""

from datetime import datetime
from functools import partial
from typing import Final

import discord

from bot.wire.answers import calling, insisting
from bot.wire.channel_access import ANNOUNCEMENTS, POSTABLE_TYPES, missing_permissions, needed_in
from bot.wire.verdicts import VERDICTS, passing, verdict_of
from streaming.errors import GexcordError, OperatorError, RequestError

Place = discord.abc.GuildChannel | discord.Thread
_CALL_LIMIT_S: Final = 8.0
_NO_MESSAGES, _RATIONED, _LOCKED = 50008, 20022, 160005


def require_target(place: Place, now: datetime) -> None:
    """RequestError with a remedy where a live message cannot stand."""
    kind, name = place.type.value, f"<#{place.id}>"
    if kind not in POSTABLE_TYPES:
        raise _refused(_NO_MESSAGES, name)
    if kind == ANNOUNCEMENTS:
        raise _refused(_RATIONED, name)
    me = place.guild.me
    granted = place.permissions_for(me)
    until = me.timed_out_until
    if until is not None and until > now and not granted.administrator:
        raise RequestError(f"I am timed out until <t:{until.timestamp():.0f}:f>.", remedy="End that time-out first.")
    locked = isinstance(place, discord.Thread) and place.locked
    missing = missing_permissions(granted, needed_in(kind, locked=locked))
    if missing == ("Manage Threads",):
        raise _refused(_LOCKED, name)
    if missing:
        raise RequestError(f"In {name} I lack {', '.join(missing)}.", remedy="Give me that there, then try again.")


async def open_target(client: discord.Client, place: Place) -> None:
    """Open a thread that is archived; RequestError when Discord does not let us, TransientError when it is busy."""
    if isinstance(place, discord.Thread) and place.archived:
        await insisting(partial(_open, client, place))


def require_pingable(role: discord.Role, place: Place) -> None:
    """RequestError for a role that a message of the bot in that channel could not ping, and for everybody."""
    if role.is_default():
        raise RequestError("Alerts never ping everybody.", remedy="Choose a role that members take themselves.")
    if not role.mentionable and not place.permissions_for(place.guild.me).mention_everyone:
        raise RequestError(f"I cannot ping {role.name}.", remedy="Let anyone mention it, in the settings of that role.")


async def find_thread(client: discord.Client, thread_id: int) -> discord.Thread | None:
    """A thread that the gateway has not told of, as it does of no archived one; None for what is none."""
    found = await insisting(partial(_fetched, client, thread_id))
    return found if isinstance(found, discord.Thread) else None


async def _open(client: discord.Client, thread: discord.Thread) -> None:
    async with calling(client, within_s=_CALL_LIMIT_S, translate=partial(_not_opened, thread.id)):
        await thread.edit(archived=False)


async def _fetched(client: discord.Client, channel_id: int) -> object:
    async with calling(client, within_s=_CALL_LIMIT_S, translate=partial(_not_opened, channel_id)):
        return await client.fetch_channel(channel_id)


def _refused(code: int, name: str) -> RequestError:
    verdict = VERDICTS[code]
    return RequestError(verdict.words(name), remedy=verdict.remedy)


def _not_opened(channel_id: int, error: Exception) -> GexcordError:
    verdict = verdict_of(error) if isinstance(error, discord.HTTPException) else None
    if verdict is None:
        return passing(error)
    refused = verdict.error(f"<#{channel_id}>")
    return RequestError(refused.sentence) if isinstance(refused, OperatorError) else refused
