"""The Discord part of `run_bot.py --check`: the login, every feed channel, and what the bot may do in it."""

from collections.abc import Sequence
from typing import Any, Final

import httpx

from bot.channel_access import POSTABLE_TYPES, effective_permissions, missing_permissions
from bot.settings import BotSettings
from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError, UnavailableError
from streaming.findings import Finding, fail, ok, warn

_DISCORD: Final = "https://discord.com/api/v10"
_TIMEOUT_S: Final = 10.0
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_HEADERS: Final = {"User-Agent": "DiscordBot (https://github.com/gexcord/gexcord, 0.1)"}


class _RefusedError(GexcordError):
    """Discord's answer was an error; `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"Discord answered {status}.")
        self.status = status


class _NotDiscordError(GexcordError):
    """Whatever answers is not Discord's API."""


async def check_discord(settings: BotSettings) -> Sequence[Finding]:
    """Findings on the login and on each configured channel."""
    if settings.discord_bot_token is None:
        remedy = "Set it in .env; only the demo and `python -m streaming` work without it."
        return [fail("discord", f"DISCORD_BOT_TOKEN is not set. {remedy}", ConfigurationError.exit_status)]
    headers = {**_HEADERS, "Authorization": f"Bot {settings.discord_bot_token.get_secret_value()}"}
    base = settings.discord_api_url or _DISCORD
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=_TIMEOUT_S) as http:
        try:
            me = await _get(http, "/users/@me")
            login = _logged_in(me)
            return [login, *[await _channel(http, str(channel), me["id"]) for channel in settings.boards]]
        except _NotDiscordError:
            return [_no_discord(base)]
        except _RefusedError as error:
            return [_no_discord(base) if error.status == _NOT_FOUND else _login_refused(error)]
        except httpx.HTTPError as error:
            host = httpx.URL(base).host
            sentence = f"{host} does not answer ({type(error).__name__}). Check the network and DISCORD_API_URL."
            return [fail("discord", sentence, UnavailableError.exit_status)]


def _logged_in(me: Any) -> Finding:
    if not isinstance(me, dict) or not {"id", "username"} <= me.keys():
        raise _NotDiscordError("The answer describes no user.")
    return ok("discord", f"logged in as {me['username']} (id {me['id']}).")


def _no_discord(base: str) -> Finding:
    sentence = f"{httpx.URL(base).host} answers, but not as Discord does. Correct DISCORD_API_URL; it ends in /api/v10."
    return fail("discord", sentence, ConfigurationError.exit_status)


def _login_refused(error: _RefusedError) -> Finding:
    if error.status == _UNAUTHORIZED:
        sentence = "Discord refuses DISCORD_BOT_TOKEN. Copy the bot's token again from the developer portal."
        return fail("discord", sentence, LoginRequiredError.exit_status)
    return fail("discord", f"{error} Try again later.", UnavailableError.exit_status)


async def _get(http: httpx.AsyncClient, path: str) -> Any:
    response = await http.get(path)
    if response.is_error:
        raise _RefusedError(response.status_code)
    try:
        return response.json()
    except ValueError:
        raise _NotDiscordError("The answer is not JSON.") from None


async def _channel(http: httpx.AsyncClient, channel_id: str, me: str) -> Finding:
    subject = f"channel {channel_id}"
    try:
        channel = await _get(http, f"/channels/{channel_id}")
        if channel.get("guild_id") is None or channel["type"] not in POSTABLE_TYPES:
            sentence = "this is not a text channel of a server. Choose one that takes messages."
            return fail(subject, sentence, ConfigurationError.exit_status)
        guild = await _get(http, f"/guilds/{channel['guild_id']}")
        member = await _get(http, f"/guilds/{channel['guild_id']}/members/{me}")
    except _RefusedError as error:
        return _channel_refused(subject, error)
    overwrites = channel.get("permission_overwrites", [])
    missing = missing_permissions(effective_permissions(guild, member["roles"], overwrites, me))
    name = f"#{channel.get('name', channel_id)} in {guild.get('name', 'its server')}"
    if missing:
        sentence = f"in {name} the bot lacks {', '.join(missing)}. Grant that to its role or in the channel's settings."
        return fail(subject, sentence, LoginRequiredError.exit_status)
    return ok(subject, f"{name}: every permission is there.")


def _channel_refused(subject: str, error: _RefusedError) -> Finding:
    if error.status == _NOT_FOUND:
        sentence = (
            "Discord knows no such channel. Correct the id in DISCORD_GEX_FEED_CHANNEL_IDS or GEX_FEED_CHANNEL_MAP."
        )
        return fail(subject, sentence, ConfigurationError.exit_status)
    if error.status == _FORBIDDEN:
        sentence = "the bot cannot see it. Invite the bot to that server and grant it View Channel."
        return fail(subject, sentence, LoginRequiredError.exit_status)
    return warn(subject, f"{error} It could not be checked now.")
