"""What discord.py's errors mean: one table of Discord's own codes, and everything else passes.

A proxy in front of Discord answers 403, 404, 401 and 429 with pages of its own, and Discord has codes that speak of its
inner trouble. Neither says anything of the channel, the person or the token, so only a code of this table is a verdict
(developer documentation, "Opcodes and Status Codes"; pages and 40333: discord-api-docs#6473, #849, #1149).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import responses
from types import MappingProxyType
from typing import Final, Literal

import discord

from streaming.errors import OperatorError, TransientError

Concern = Literal["channel", "reader", "message", "form", "interaction", "commands", "token"]

WORN_MESSAGE: Final = 30046
ARCHIVED_THREAD: Final = 50083
UNKNOWN_INTERACTION: Final = 10062
ALREADY_ANSWERED: Final = 40060
_LONGEST_WAIT_S: Final = 3600.0
"""To wait longer than this is not believed: asking again once an hour harms nobody."""
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one of Discord's codes says for certain, whom it concerns, and what to do."""

    concerns: Concern
    """`message`: the one asked about, a new one may do. `form`: what was sent will never do. The rest as named."""
    sentence: str
    """For operators; `{place}` stands for what it happened to, such as "channel 42"."""
    remedy: str
    reason: str = ""
    """For a reader's list, after "paused: "; only of what concerns channels and readers."""

    def words(self, place: str) -> str:
        """The sentence about one place."""
        text = self.sentence.format(place=place)
        return text[:1].upper() + text[1:]

    def error(self, place: str) -> OperatorError:
        """The verdict as the operators' move."""
        return OperatorError(self.words(place), remedy=self.remedy)


_EXEMPT: Final = "Exempt the bot's role in Server Settings → AutoMod, or use another channel."
_FIT: Final = "This is a bug in the bot; its log says where."
_NEW_TOKEN: Final = "Set a valid DISCORD_BOT_TOKEN."  # noqa: S105  # a sentence
_ASK_AGAIN: Final = "Use the command again."
_REFUSED_TOKEN: Final = Verdict("token", "Discord refuses the bot's token.", _NEW_TOKEN)
_CLOSED: Final = "your direct messages are closed to me"

VERDICTS: Final[Mapping[int, Verdict]] = MappingProxyType(
    {
        10003: Verdict(
            "channel",
            "Discord does not know {place}: it was deleted, or its id is wrong.",
            "Use one that exists where the bot is (for boards: DISCORD_GEX_FEED_CHANNEL_IDS, GEX_FEED_CHANNEL_MAP).",
            "the channel is gone",
        ),
        50001: Verdict(
            "channel",
            "The bot cannot see {place}.",
            "Give it View Channel there (for a voice channel also Connect), or invite it to that server.",
            "I cannot see the channel",
        ),
        50013: Verdict(
            "channel",
            "The bot may not write in {place}.",
            "Give it View Channel and Send Messages there (Send Messages in Threads for a thread, Connect for a voice "
            "channel), and end a time-out of the bot.",
            "I may not write in the channel",
        ),
        50008: Verdict(
            "channel",
            "{place} accepts no messages: it is a forum or a category.",
            "Name a text channel, or one thread or post.",
            "the channel accepts no messages",
        ),
        160005: Verdict(
            "channel",
            "{place} is a locked thread.",
            "Unlock it, or give the bot Manage Threads there.",
            "the thread is locked",
        ),
        200000: Verdict(
            "channel",
            "The server's AutoMod blocks the bot's message in {place}.",
            _EXEMPT,
            "AutoMod blocks my messages",
        ),
        200001: Verdict(
            "channel", "The server's AutoMod blocks the bot's title in {place}.", _EXEMPT, "AutoMod blocks my messages"
        ),
        240000: Verdict(
            "channel",
            "Discord's filter of harmful links blocks the bot's message in {place}.",
            "Make sure no ticker or note in it looks like a link, or use another channel.",
            "Discord's link filter blocks my messages",
        ),
        20022: Verdict(
            "channel",
            "{place} is an announcement channel, where Discord allows only a few edits an hour.",
            "Use an ordinary text channel for live figures.",
            "the channel is for announcements",
        ),
        10013: Verdict(
            "reader", "Discord does not know {place}.", "Nothing needs to be done.", "Discord does not know you"
        ),
        50007: Verdict(
            "reader",
            "The direct messages of {place} are closed to the bot.",
            "Only that person can open them.",
            _CLOSED,
        ),
        50278: Verdict(
            "reader",
            "{place} shares no server with the bot.",
            "That person can join a server where the bot is.",
            "we no longer share a server",
        ),
        10008: Verdict("message", "The message in {place} is no longer there.", "A new one is posted."),
        50005: Verdict("message", "The message in {place} is not the bot's.", "A new one is posted."),
        WORN_MESSAGE: Verdict("message", "Discord limits edits of old messages in {place}.", "A new one is posted."),
        ARCHIVED_THREAD: Verdict("message", "{place} is archived.", "A new message un-archives it."),
        50006: Verdict("form", "Discord refuses an empty message for {place}.", _FIT),
        50035: Verdict("form", "Discord refuses the form of a message for {place}.", _FIT),
        50109: Verdict("form", "Discord cannot read a message for {place}.", _FIT),
        40005: Verdict("form", "Discord refuses a message for {place}: it is too large.", _FIT),
        50045: Verdict("form", "Discord refuses a file for {place}: it is too large.", _FIT),
        UNKNOWN_INTERACTION: Verdict("interaction", "Discord closed this request before the answer.", _ASK_AGAIN),
        ALREADY_ANSWERED: Verdict("interaction", "This request was already answered.", _ASK_AGAIN),
        50027: Verdict("interaction", "The time to answer has run out.", _ASK_AGAIN),
        10015: Verdict("interaction", "Discord no longer knows this request.", _ASK_AGAIN),
        30032: Verdict(
            "commands",
            "This application has reached Discord's limit of slash commands.",
            "Delete some that are not the bot's.",
        ),
        30034: Verdict(
            "commands",
            "This application has reached Discord's limit of new slash commands for today.",
            "The existing ones keep working; the bot will try again.",
        ),
        40001: _REFUSED_TOKEN,
        50014: _REFUSED_TOKEN,
    }
)
"""Whatever is not here passes, 40333 (Discord's own network) and 40003 (direct messages opened too fast) among them."""


def json_code(error: discord.HTTPException) -> int | None:
    """Discord's own code of an answer; None for pages, empty bodies and JSON that is not Discord's.

    0 is Discord's general error, known by its words ("401: Unauthorized") in a body that really is JSON.
    """
    code: object = error.code  # whatever the body held, and only a dictionary of JSON holds any
    if not isinstance(code, int) or isinstance(code, bool) or not isinstance(error.text, str) or not error.text:
        return None
    if code:
        return code
    general = f"{error.status}: {responses.get(error.status)}"
    return 0 if error.text == general and _content_type(error) == "application/json" else None


def verdict_of(error: discord.HTTPException) -> Verdict | None:
    """What an answer says for certain; None for everything that passes (see `passing`)."""
    code = json_code(error)
    if code == 0:
        return _REFUSED_TOKEN if error.status == _UNAUTHORIZED else None
    return None if code is None else VERDICTS.get(code)


def passing(error: Exception) -> TransientError:
    """For every error without a verdict: the network, a deadline, a page, a busy or broken Discord."""
    if isinstance(error, discord.HTTPException):
        return TransientError(f"Discord {described(error)}.", retry_after_s=retry_after_s(error))
    return unanswered(error)


def described(error: discord.HTTPException) -> str:
    """What was answered, for a log or a person: never a foreign text, only its length and type."""
    code = json_code(error)
    if code is not None:
        return f"answered {error.status} (code {code})"
    length = len(error.text) if isinstance(error.text, str) else 0
    return (
        f"answered {error.status} without a code of its own ({_content_type(error) or 'no type'}, {length} characters)"
    )


def retry_after_s(error: discord.HTTPException) -> float | None:
    """How long the other side asks to wait, in seconds, at most an hour; None without one that can be."""
    header = _header(error, "Retry-After")
    try:
        asked_s = float(header or "nan")
    except ValueError:
        return None
    return min(asked_s, _LONGEST_WAIT_S) if math.isfinite(asked_s) and asked_s >= 0 else None


def unanswered(error: Exception) -> TransientError:
    """For what is no answer of Discord's: the network, a deadline, or a wait that discord.py would not take."""
    if isinstance(error, discord.RateLimited):
        return TransientError("Discord asks to slow down.", retry_after_s=min(error.retry_after, _LONGEST_WAIT_S))
    return TransientError(f"Discord does not answer ({type(error).__name__}).")


def is_busy(error: discord.HTTPException) -> bool:
    """Whether Discord only says that it cannot now."""
    return error.status == _TOO_MANY_REQUESTS or error.status >= _SERVER_ERROR


def _content_type(error: discord.HTTPException) -> str:
    return _header(error, "Content-Type").partition(";")[0].strip().lower()[:40]


def _header(error: discord.HTTPException, name: str) -> str:
    return "" if error.response is None else str(error.response.headers.get(name, ""))
