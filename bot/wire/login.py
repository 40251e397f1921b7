"""Logging in to Discord's REST interface, whichever Discord that is and however long it takes."""

import logging
from random import Random
from typing import Final

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.wire.answers import FAILURES
from bot.wire.verdicts import passing, verdict_of
from streaming.clock import Clock
from streaming.errors import LoginRequiredError, TransientError
from streaming.process.backoff import delay_s

log = logging.getLogger(__name__)
ASK_AGAIN_S: Final = 5.0
_FIRST_S: Final = 1.0
_CAP_S: Final = 300.0
_ODD: Final = (KeyError, TypeError, ValueError)
"""What discord.py raises over an answer that is none of Discord's."""


async def log_in(client: discord.Client, token: str, clock: Clock, rng: Random) -> None:
    """Log in; raises LoginRequiredError only when Discord itself refuses the token, and does so again after 5 s.

    Without a network, and while a page bans the address or Discord is broken, it asks again, at most every 5 minutes.
    """
    began_s, failures, refused, said = clock.monotonic(), 0, False, ""
    while (trouble := await _try(client, token)) is not None:
        if trouble.is_refusal and refused:
            raise refusal()
        refused = trouble.is_refusal
        wait_s = _wait_s(trouble, failures, rng)
        level = logging.DEBUG if str(trouble) == said else logging.WARNING
        log.log(level, "the bot cannot log in to Discord yet: %s It asks again in %.0f s.", trouble, wait_s)
        failures, said = failures + 1, str(trouble)
        await clock.sleep(wait_s)
    if failures:
        log.warning("the bot has logged in to Discord after %.0f s", clock.monotonic() - began_s)


def refusal() -> LoginRequiredError:
    """Discord itself refuses the token."""
    return LoginRequiredError(
        "Discord refuses DISCORD_BOT_TOKEN.",
        remedy="Copy the token of the bot again from the Discord developer portal.",
    )


class _NotYetError(TransientError):
    """Why this login did not work."""

    is_refusal = False


def _wait_s(trouble: _NotYetError, failures: int, rng: Random) -> float:
    if trouble.is_refusal:
        return ASK_AGAIN_S
    return delay_s(failures, rng, first_s=_FIRST_S, cap_s=_CAP_S, least_s=trouble.retry_after_s)


async def _try(client: discord.Client, token: str) -> _NotYetError | None:
    try:
        await client.login(token)
    except discord.LoginFailure as error:
        trouble = _trouble(error.__cause__ or error)
    except FAILURES as error:
        trouble = _trouble(error)
    except _ODD as error:
        log.debug("an odd answer to the login", exc_info=error)
        trouble = _NotYetError(f"The answer is not Discord's ({type(error).__name__}).")
    else:
        return None
    await _forget_session(client)
    return trouble


def _trouble(error: BaseException) -> _NotYetError:
    verdict = verdict_of(error) if isinstance(error, discord.HTTPException) else None
    cause = passing(error) if isinstance(error, Exception) else TransientError(type(error).__name__)
    trouble = _NotYetError(str(cause), retry_after_s=cause.retry_after_s)
    trouble.is_refusal = verdict is not None and verdict.concerns == "token"
    return trouble


async def _forget_session(client: discord.Client) -> None:
    """discord.py opens a session at each login and expects a connector that is not closed."""
    await client.http.close()
    client.http.connector = discord.utils.MISSING


def point_discord_at(api_url: str | None, gateway_url: str | None) -> None:
    """Send every later call of discord.py to these addresses; None leaves Discord's own in place.

    `api_url` ends in the API version (`…/api/v10`), `gateway_url` is the WebSocket's. Both are class
    attributes that the library reads per request and per connection, so this holds for the whole process.
    """
    if api_url is not None:
        Route.BASE = api_url.rstrip("/")
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway_url)
