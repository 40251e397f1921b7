"""What discord.py's errors mean wherever they come from; what they mean for one kind of call is that call's affair."""

from collections.abc import Collection
from typing import Final

import discord

from streaming.errors import GexcordError, OperatorError, TransientError

ARCHIVED_THREAD: Final = 50083
"""Discord's JSON error code (developer documentation, "Opcodes and Status Codes")."""
_UNAUTHORIZED: Final = 401
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


def unanswered(error: Exception) -> TransientError:
    """For what is no answer of Discord's: the network, a deadline, or a wait that discord.py would not take."""
    if isinstance(error, discord.RateLimited):
        return TransientError("Discord asks to slow down.", retry_after_s=error.retry_after)
    return TransientError(f"Discord does not answer ({type(error).__name__}).")


def unrelated(error: discord.HTTPException, *, passing_codes: Collection[int] = ()) -> GexcordError | None:
    """For an answer that says nothing of what was asked: the token is refused, or Discord is busy or broken.

    `passing_codes` are codes that the caller knows to pass by themselves. None for any other answer.
    """
    if error.status == _UNAUTHORIZED:
        return OperatorError("Discord refuses the bot's token.", remedy="Set a valid DISCORD_BOT_TOKEN.")
    if error.status == _TOO_MANY_REQUESTS or error.status >= _SERVER_ERROR or error.code in passing_codes:
        return TransientError(f"Discord answered {error.status}.", retry_after_s=_retry_after(error))
    return None


def _retry_after(error: discord.HTTPException) -> float | None:
    header = error.response.headers.get("Retry-After") if error.response is not None else None
    try:
        return None if header is None else float(header)
    except ValueError:
        return None
