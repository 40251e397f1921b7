"""What a board needs of a Discord channel, and discord.py behind it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import aiohttp
import discord

from bot.discord_errors import ARCHIVED_THREAD, unanswered, unrelated
from streaming.errors import GexcordError, OperatorError, RequestError, TransientError

_CALL_LIMIT_S: Final = 30.0
_NO_MENTIONS: Final = discord.AllowedMentions.none()
# Discord's JSON error codes (developer documentation, "Opcodes and Status Codes").
_UNKNOWN_MESSAGE: Final = 10008
_NOT_OUR_MESSAGE: Final = 50005
_TOO_MANY_OLD_EDITS: Final = 30046


class GoneMessageError(RequestError):
    """The message was deleted by somebody, or is not ours to change."""


class WornMessageError(RequestError):
    """Discord rations edits of messages older than an hour; a new one is needed."""


class ChannelPort(Protocol):
    """One channel that a board writes to.

    Every method raises TransientError (try again), OperatorError (access or channel missing) or RequestError;
    `edit` and `delete` raise GoneMessageError for a message that is not there, `edit` also WornMessageError.
    """

    async def send(self, content: str, *, nonce: str) -> int:
        """Post and return the message id; the same nonce within minutes gives the same message, not a second."""
        ...

    async def edit(self, message_id: int, content: str) -> None:
        """Replace a message's content."""
        ...

    async def delete(self, message_id: int) -> None:
        """Remove a message."""
        ...


class DiscordChannel:
    """`ChannelPort` over discord.py; an id is enough, whatever the gateway has told so far."""

    def __init__(self, bot: discord.Client, channel_id: int) -> None:
        self._bot = bot
        self._channel_id = channel_id
        self._own: discord.Message | None = None

    async def send(self, content: str, *, nonce: str) -> int:
        async with self._call("post in"):
            self._own = await self._channel().send(content, nonce=nonce, allowed_mentions=_NO_MENTIONS)
        return self._own.id

    async def edit(self, message_id: int, content: str) -> None:
        async with self._call("edit its message in"):
            await self._message(message_id).edit(content=content, allowed_mentions=_NO_MENTIONS)

    async def delete(self, message_id: int) -> None:
        async with self._call("delete its message in"):
            await self._message(message_id).delete()

    def _channel(self) -> discord.TextChannel | discord.Thread | discord.PartialMessageable:
        known = self._bot.get_channel(self._channel_id)
        if isinstance(known, discord.TextChannel | discord.Thread):
            return known
        return self._bot.get_partial_messageable(self._channel_id)

    def _message(self, message_id: int) -> discord.Message | discord.PartialMessage:
        own = self._own
        return own if own is not None and own.id == message_id else self._channel().get_partial_message(message_id)

    @asynccontextmanager
    async def _call(self, deed: str) -> AsyncIterator[None]:
        """Bound a call in time and turn the library's errors into ours."""
        if self._bot.is_closed():
            raise TransientError("The bot is signing off from Discord.")
        try:
            async with asyncio.timeout(_CALL_LIMIT_S):
                yield
        except (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError, TimeoutError) as error:
            raise translate(error, channel_id=self._channel_id, deed=deed) from error


def translate(error: Exception, *, channel_id: int, deed: str) -> GexcordError:
    """The project's error for one of discord.py's, with whose move it is; `deed` completes "may not … channel"."""
    if not isinstance(error, discord.HTTPException):
        return unanswered(error)
    if error.code in {_UNKNOWN_MESSAGE, _NOT_OUR_MESSAGE}:
        return GoneMessageError("The message is not there any more.")
    if error.code == _TOO_MANY_OLD_EDITS:
        return WornMessageError("Discord allows no more edits of this old message.")
    return unrelated(error) or _refusal(error, channel_id, deed)


def _refusal(error: discord.HTTPException, channel_id: int, deed: str) -> GexcordError:
    if isinstance(error, discord.NotFound):
        return OperatorError(
            f"Discord knows no channel {channel_id}.",
            remedy="Correct the id in DISCORD_GEX_FEED_CHANNEL_IDS or GEX_FEED_CHANNEL_MAP, or invite the bot.",
        )
    if isinstance(error, discord.Forbidden) or error.code == ARCHIVED_THREAD:
        return OperatorError(
            f"The bot may not {deed} channel {channel_id} ({error.text or 'forbidden'}).",
            remedy="Give it View Channel and Send Messages there.",
        )
    return RequestError(f"Discord refuses a message in channel {channel_id}: {error.text} (code {error.code}).")
