"""What a person reads when something went wrong, and how it reaches them: privately, once.

Commands, buttons and modals just raise. An error of ours speaks for itself; Discord's and the library's
get a sentence here; anything else is a bug, and its traceback is logged under the id that the person sees.
"""

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp
import discord
from discord import app_commands

from bot.render.message_form import MESSAGE_CHARS
from bot.wire.verdicts import ALREADY_ANSWERED, described, json_code, passing, verdict_of
from streaming.errors import ContractError, GexcordError, RequestError

if TYPE_CHECKING:
    from bot.client import GexBot

log = logging.getLogger(__name__)

_TOO_LARGE: Final = 413
_TROUBLE: Final = "Discord is having trouble. Try again later."
Interaction = discord.Interaction[Any]


class Refusal(app_commands.CheckFailure):
    """A check says no; the message is the sentence that the person reads."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the person who asked, and how loudly the log speaks of it."""

    text: str
    level: int
    with_traceback: bool = False
    cause: BaseException | None = None
    """What a library said; for the log only."""

    @property
    def log_text(self) -> str:
        """The sentence, and what is behind it: a library's words, but of an answer only its status, code and type."""
        if self.cause is None:
            return self.text
        words = described(self.cause) if isinstance(self.cause, discord.HTTPException) else str(self.cause)
        return f"{self.text} ({type(self.cause).__name__}: {words})"


def new_incident() -> str:
    """A short id that joins what a person saw to a line of the log."""
    return secrets.token_hex(4)


def notice_for(error: BaseException, *, incident: str) -> Notice:
    """The notice for an exception; a bug shows nothing of itself but `incident`."""
    cause = _cause(error)
    if isinstance(cause, GexcordError):
        return Notice(cause.sentence[:MESSAGE_CHARS], _level(cause), cause=cause.__cause__)
    if isinstance(cause, app_commands.AppCommandError):
        return _library_notice(cause, incident)
    if isinstance(cause, discord.HTTPException):
        return _discord_notice(cause)
    if isinstance(cause, (aiohttp.ClientError, TimeoutError)):
        return Notice("That took too long. Try again in a moment.", logging.WARNING, with_traceback=True)
    return _bug(incident)


def _cause(error: BaseException) -> BaseException:
    if isinstance(error, app_commands.CommandInvokeError):
        return error.original
    if isinstance(error, app_commands.TransformerError) and isinstance(error.__cause__, GexcordError):
        return error.__cause__
    return error


def _level(error: GexcordError) -> int:
    if isinstance(error, RequestError):
        return logging.INFO
    return logging.ERROR if isinstance(error, ContractError) else logging.WARNING


def _library_notice(error: app_commands.AppCommandError, incident: str) -> Notice:
    sentence = _library_sentence(error)
    if sentence is None:
        return _bug(incident)
    ours = (app_commands.BotMissingPermissions, app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)
    return Notice(sentence, logging.WARNING if isinstance(error, ours) else logging.INFO)


def _library_sentence(error: app_commands.AppCommandError) -> str | None:
    sentence: str | None = None
    match error:
        case Refusal():
            sentence = str(error)
        case app_commands.NoPrivateMessage():
            sentence = "This works only in a server."
        case app_commands.CommandOnCooldown(retry_after=wait_s):
            sentence = f"Not so fast: try again in {max(1, round(wait_s))} s."
        case app_commands.MissingPermissions(missing_permissions=missing):
            sentence = f"You need the permission {_names(missing)} for this."
        case app_commands.BotMissingPermissions(missing_permissions=missing):
            sentence = f"I need the permission {_names(missing)} in this channel."
        case app_commands.CheckFailure():
            sentence = "You may not use this command here."
        case app_commands.TransformerError():
            sentence = "This command does not accept one of those options."
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            sentence = "This command has just changed. Reload Discord and try again."
    return sentence


def _discord_notice(error: discord.HTTPException) -> Notice:
    """What Discord's answer means to whoever asked; nothing of it is a bug of the kind that needs a traceback."""
    verdict = verdict_of(error)
    text, level = _TROUBLE, logging.WARNING
    if error.status == _TOO_LARGE or (verdict is not None and verdict.concerns == "form"):
        text = "The answer does not fit into one Discord message. Ask for less."
    elif verdict is not None and verdict.concerns == "interaction":
        text, level = f"{verdict.sentence} {verdict.remedy}", logging.INFO
    elif verdict is not None and verdict.concerns == "channel":
        text = "I may not do that in this channel: a permission is missing. A server admin can grant it."
    return Notice(text, level, cause=error)


def _names(permissions: list[str]) -> str:
    return ", ".join(name.replace("_", " ").title() for name in permissions)


def _bug(incident: str) -> Notice:
    return Notice(f"Something went wrong (id {incident}). The log has the details.", logging.ERROR, with_traceback=True)


async def think(interaction: Interaction) -> None:
    """Take more than 3 s for an answer, always privately: so an error that comes later is private as well."""
    await interaction.response.defer(ephemeral=True, thinking=True)


async def answer_error(
    interaction: Interaction, error: BaseException, *, incident: Callable[[], str] = new_incident
) -> None:
    """Log an error of a command, button or modal and tell the person who asked, privately and once."""
    name = incident()
    notice = notice_for(error, incident=name)
    where = interaction.command.qualified_name if interaction.command else interaction.type.name
    details = _cause(error) if notice.with_traceback else None
    log.log(
        notice.level, "/%s by user %s (id %s): %s", where, interaction.user.id, name, notice.log_text, exc_info=details
    )
    if _is_over(interaction, _cause(error)) or interaction.type is discord.InteractionType.autocomplete:
        return
    try:
        await _tell(interaction, notice.text)
    except (discord.HTTPException, aiohttp.ClientError, TimeoutError) as failure:
        if not _is_over(interaction, failure):
            log.warning("the notice of id %s could not be delivered: %s", name, passing(failure))


def _is_over(interaction: Interaction, error: BaseException) -> bool:
    """Whether Discord takes no answer any more, because it is late or somebody else has answered."""
    if not isinstance(error, discord.HTTPException):
        return False
    cast("GexBot", interaction.client).copies.refused(interaction, json_code(error))
    verdict = verdict_of(error)
    return verdict is not None and verdict.concerns == "interaction"


def quiet_autocomplete(record: logging.LogRecord) -> bool:
    """A filter for discord.py's log: choices that Discord does not take any more are typed over already."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, discord.HTTPException | aiohttp.ClientError):
        return True
    log.info("choices came too late, or Discord had trouble: %s", passing(error))
    return False


async def _tell(interaction: Interaction, text: str) -> None:
    if not interaction.response.is_done():
        try:
            await interaction.response.send_message(text, ephemeral=True)
        except discord.HTTPException as failure:
            if json_code(failure) != ALREADY_ANSWERED:
                raise
            _is_over(interaction, failure)
        else:
            return
    if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
        await interaction.edit_original_response(content=text, embed=None, attachments=[], view=None)
    else:
        await interaction.followup.send(text, ephemeral=True)
