"""What a board needs of a Discord channel, and discord.py behind it."""

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

import discord

from bot.feed.illustration import Illustration
from bot.render.card import PICTURE_FILE, is_card, layout_of, shown_text
from bot.wire.answers import calling
from bot.wire.verdicts import ARCHIVED_THREAD, WORN_MESSAGE, Verdict, json_code, passing, verdict_of
from streaming.bus.lease import LeaseLostError
from streaming.errors import GexcordError, RequestError, TransientError

_CALL_LIMIT_S: Final = 15.0
_RECENT: Final = 50
_NO_MENTIONS: Final = discord.AllowedMentions.none()
_NEEDS_A_NEW_ONE: Final = frozenset({WORN_MESSAGE, ARCHIVED_THREAD})
Buttons = Callable[[int], Sequence[discord.ui.Item[Any]]]
"""What stands under the messages of a channel, made anew each time."""
_UNREADABLE: Final = (TypeError, KeyError, ValueError, AttributeError)
"""What discord.py raises for a 200 that is no message, such as a proxy's page."""


class GoneMessageError(RequestError):
    """The message was deleted by somebody, or is not ours to change."""


class WornMessageError(RequestError):
    """Discord takes no edit of this message: it is old and they are rationed, or its thread is archived."""


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message of ours that stands in a channel."""

    message_id: int
    content: str
    """Of a card, the text that it shows."""
    at: datetime


class ChannelPort(Protocol):
    """One channel that a board writes to.

    Every method raises TransientError (try again), OperatorError (access or channel missing) or RequestError;
    `edit` and `delete` raise GoneMessageError for a message that is not there, `edit` also WornMessageError.
    """

    async def send(self, content: str, *, nonce: str) -> int:
        """Post and return the message id; the same nonce within minutes gives the same message, not a second."""
        ...

    async def edit(self, message_id: int, content: str, picture: Illustration | None = None) -> None:
        """Replace what a message says, and its picture by another; a message that became a card can only stay one."""
        ...

    async def delete(self, message_id: int) -> None:
        """Remove a message."""
        ...

    async def recent(self) -> Sequence[SeenMessage]:
        """Our own messages among the channel's last fifty; no answers to commands, nothing with embeds."""
        ...


class AssuredChannel:
    """`ChannelPort` that asks before each write whether the feed is still ours.

    A process may be paused between that and its edit, which then covers what the new holder wrote: it asks again
    afterwards and says so. (A post that comes late is known by its note, which the ledger refuses.)
    """

    def __init__(
        self, channel: ChannelPort, assure: Callable[[], Awaitable[None]], came_late: Callable[[], Awaitable[None]]
    ) -> None:
        """`assure` raises LeaseLostError, and costs nothing while the lease is young."""
        self._channel = channel
        self._assure = assure
        self._came_late = came_late

    async def send(self, content: str, *, nonce: str) -> int:
        await self._assure()
        return await self._channel.send(content, nonce=nonce)

    async def edit(self, message_id: int, content: str, picture: Illustration | None = None) -> None:
        await self._assure()
        try:
            await self._channel.edit(message_id, content, picture)
        finally:
            await self._look_back()

    async def _look_back(self) -> None:
        try:
            await self._assure()
        except LeaseLostError:
            await self._came_late()
            raise
        except TransientError:
            return  # Redis is away: whether it was late is asked again before the next write

    async def delete(self, message_id: int) -> None:
        await self._assure()
        await self._channel.delete(message_id)

    async def recent(self) -> Sequence[SeenMessage]:
        return await self._channel.recent()


class DiscordChannel:
    """`ChannelPort` over discord.py; an id is enough, whatever the gateway has told so far."""

    def __init__(
        self,
        bot: discord.Client,
        channel_id: int,
        *,
        silent: Callable[[int], bool] = lambda _channel_id: True,
        buttons: Buttons = lambda _channel_id: (),
    ) -> None:
        """`silent` says of a channel whether new messages come without a sound, `buttons` what stands under them."""
        self._silent = silent
        self._buttons = buttons
        self._bot = bot
        self._channel_id = channel_id
        self._own: discord.Message | None = None
        self._dressed: int | None = None
        """The message whose buttons are those that are wanted now."""

    async def send(self, content: str, *, nonce: str) -> int:
        body = self._body(content, None)
        if body.get("view", self) is None:
            del body["view"]  # of a new message there is nothing to take away
        async with self._call():
            self._own = await self._channel().send(
                nonce=nonce, silent=self._silent(self._channel_id), allowed_mentions=_NO_MENTIONS, **body
            )
        self._dressed = self._own.id
        return self._own.id

    async def edit(self, message_id: int, content: str, picture: Illustration | None = None) -> None:
        body = self._body(content, message_id)
        if picture is not None:
            body["attachments"] = [_file(picture)]
        async with self._call():
            await self._message(message_id).edit(allowed_mentions=_NO_MENTIONS, **body)
        self._dressed = message_id

    async def delete(self, message_id: int) -> None:
        async with self._call():
            await self._message(message_id).delete()

    async def recent(self) -> Sequence[SeenMessage]:
        async with self._call():
            found = [message async for message in self._channel().history(limit=_RECENT)]
        return [
            SeenMessage(message.id, shown_text(message), message.created_at)
            for message in found
            if self._plain(message)
        ]

    def _body(self, content: str, message_id: int | None) -> dict[str, Any]:
        """A card leaves no content beside it, and is told whole; content keeps the buttons that it has."""
        buttons = self._buttons(self._channel_id)
        if is_card(content):
            return {"content": None, "view": layout_of(content, buttons)}
        if message_id is not None and message_id == self._dressed:
            return {"content": content}
        return {"content": content, "view": _row(buttons)}

    def _plain(self, message: discord.Message) -> bool:
        own = self._bot.user is not None and message.author.id == self._bot.user.id
        return own and message.interaction_metadata is None and not message.embeds

    def _channel(self) -> discord.TextChannel | discord.Thread | discord.PartialMessageable:
        known = self._bot.get_channel(self._channel_id)
        if isinstance(known, discord.TextChannel | discord.Thread):
            return known
        return self._bot.get_partial_messageable(self._channel_id)

    def _message(self, message_id: int) -> discord.Message | discord.PartialMessage:
        own = self._own
        return own if own is not None and own.id == message_id else self._channel().get_partial_message(message_id)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        try:
            async with calling(
                self._bot, within_s=_CALL_LIMIT_S, translate=partial(translate, channel_id=self._channel_id)
            ):
                yield
        except _UNREADABLE as error:
            raise TransientError(f"Discord's answer is not a message ({type(error).__name__}).") from error


def _row(buttons: Sequence[discord.ui.Item[Any]]) -> discord.ui.View | None:
    if not buttons:
        return None
    row = discord.ui.View(timeout=None)
    for button in buttons:
        row.add_item(button)
    return row


def _file(picture: Illustration) -> discord.File:
    return discord.File(io.BytesIO(picture.png), PICTURE_FILE, description=picture.alt)


def translate(error: Exception, *, channel_id: int) -> GexcordError:
    """The project's error for one of discord.py's, with whose move it is: only Discord's own codes are verdicts."""
    verdict = verdict_of(error) if isinstance(error, discord.HTTPException) else None
    if not isinstance(error, discord.HTTPException) or verdict is None:
        return passing(error)
    if json_code(error) in _NEEDS_A_NEW_ONE:
        return WornMessageError(verdict.words(f"channel {channel_id}"))
    return _refusal(verdict, f"channel {channel_id}") or passing(error)


def _refusal(verdict: Verdict, place: str) -> GexcordError | None:
    match verdict.concerns:
        case "message":
            return GoneMessageError(verdict.words(place))
        case "channel" | "token":
            return verdict.error(place)
        case "form":
            return RequestError(verdict.words(place), remedy=verdict.remedy)
        case _:
            return None
