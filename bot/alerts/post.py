"""What alerts need of Discord, and discord.py behind it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from functools import partial
from typing import Final

import discord

from bot.alerts.rules import Target
from bot.render.message_form import MESSAGE_CHARS
from bot.servers.orders import Manner
from bot.wire.answers import calling
from bot.wire.verdicts import is_busy, passing, unanswered, verdict_of
from streaming.errors import GexcordError, RequestError

CALL_LIMIT_S: Final = 8.0


class UnreachableError(RequestError):
    """Nothing can be sent to the target until a person changes something; the message is the reason for readers."""


class AlertPost:
    """Sends to channels and to people."""

    def __init__(self, bot: discord.Client, manner: Callable[[Target], Manner] = lambda _target: Manner(True)) -> None:
        """`manner` says how loudly alerts for a target are posted."""
        self._bot = bot
        self._manner = manner

    async def send(self, target: Target, content: str, *, nonce: str) -> int:
        """Post and return the message's id; the same nonce within minutes gives the same message, not a second.

        Raises UnreachableError, TransientError (try again), RequestError (this message will never do) or
        OperatorError (Discord refuses the bot altogether).
        """
        manner = self._manner(target)
        roles = [discord.Object(manner.role_id)] if manner.role_id else []
        text = "".join(f"<@&{role.id}> " for role in roles) + content
        mentions = discord.AllowedMentions(everyone=False, users=False, roles=roles or False, replied_user=False)
        async with self._call(target):
            place = await self._place(target)
            sent = await place.send(text[:MESSAGE_CHARS], nonce=nonce, silent=manner.silent, allowed_mentions=mentions)
            return sent.id

    async def withdraw(self, target: Target, message_id: int) -> None:
        """Delete a message that was sent twice; raises as `send`, and not when it is gone already."""
        async with self._call(target):
            place = await self._place(target)
            with suppress(discord.NotFound):
                await place.get_partial_message(message_id).delete()

    def _call(self, target: Target) -> AbstractAsyncContextManager[None]:
        return calling(self._bot, within_s=CALL_LIMIT_S, translate=partial(translate, target=target))

    async def _place(self, target: Target) -> discord.PartialMessageable | discord.DMChannel:
        if target.channel_id is not None:
            return self._bot.get_partial_messageable(target.channel_id)
        return await self._bot.create_dm(discord.Object(target.user_id or 0))


def translate(error: Exception, target: Target) -> GexcordError:
    """The project's error for one of discord.py's; what is not known to concern this very target passes."""
    if not isinstance(error, discord.HTTPException):
        return unanswered(error)
    verdict = None if is_busy(error) else verdict_of(error)
    if verdict is None:
        return passing(error)
    match verdict.concerns:
        case "token":
            return verdict.error(target.words)
        case "form":
            return RequestError(verdict.words(target.words), remedy=verdict.remedy)
        case "channel" | "reader" if (verdict.concerns == "channel") == (target.channel_id is not None):
            return UnreachableError(verdict.reason, remedy=verdict.remedy)
    return passing(error)
