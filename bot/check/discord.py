"""The Discord part of `run_bot.py --check`: the login, every feed channel, and what the bot may do in it."""

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import discord
import httpx
from pydantic import SecretStr

from bot.render.about_text import SOURCE_URL
from bot.render.message_form import listed
from bot.render.numbers import counted
from bot.servers.orders import BoardOrder, settings_orders
from bot.settings import BotSettings
from bot.wire.channel_access import (
    ANNOUNCEMENTS,
    POSTABLE_TYPES,
    THREADS,
    effective_permissions,
    missing_permissions,
    needed_in,
    needed_to_rename,
    timed_out_until,
)
from bot.wire.verdicts import VERDICTS, Verdict
from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError, UnavailableError
from streaming.process.certificates import trusted
from streaming.process.findings import Finding, fail, ok, warn

_DISCORD: Final = "https://discord.com/api/v10"
_TIMEOUT_S: Final = 10.0
_UNAUTHORIZED, _NOT_FOUND = 401, 404
_UNKNOWN_CHANNEL, _UNSEEN, _NO_MESSAGES, _RATIONED, _LOCKED = 10003, 50001, 50008, 20022, 160005
_MOST_NAMED: Final = 5
_HEADERS: Final = {"User-Agent": f"DiscordBot ({SOURCE_URL}, 0.1)"}
_STATUSES: Final = {_UNSEEN: LoginRequiredError.exit_status}
"""What is a permission's matter and not a setting's."""


class _RefusedError(GexcordError):
    """An answer that was an error; `code` is Discord's own, None where it may be anybody's page."""

    def __init__(self, status: int, code: int | None) -> None:
        own = "without one of Discord's own codes" if code is None else f"with code {code}"
        super().__init__(f"Discord answered {status} {own}.")
        self.status = status
        self.code = code


class _NotDiscordError(GexcordError):
    """Whatever answers is not Discord's API."""


async def check_discord(
    settings: BotSettings, now: datetime, orders: Mapping[int, BoardOrder] | None = None
) -> Sequence[Finding]:
    """Findings on the login and on each channel of `orders`, of the settings without them."""
    wanted = settings_orders(settings) if orders is None else orders
    if settings.discord_bot_token is None:
        remedy = "Set it in .env; only the demo and `python -m streaming` work without it."
        return [fail("discord", f"DISCORD_BOT_TOKEN is not set. {remedy}", ConfigurationError.exit_status)]
    base = settings.discord_api_url or _DISCORD
    async with _open_api(base, settings.discord_bot_token) as http:
        try:
            me = await _get(http, "/users/@me")
            login = _logged_in(me)
        except _NotDiscordError:
            return [_no_discord(base)]
        except _RefusedError as error:
            return [_no_discord(base) if error.status == _NOT_FOUND else _login_refused(error)]
        except httpx.HTTPError as error:
            sentence = f"{httpx.URL(base).host} does not answer ({type(error).__name__}). Check the network"
            return [fail("discord", f"{sentence} and DISCORD_API_URL.", UnavailableError.exit_status)]
        boards = [await _ordered(http, order, me["id"], now) for order in wanted.values()]
        return [login, *boards, *await _named(http, settings, me["id"])]


async def application_id(settings: BotSettings) -> int | None:
    """Of the application that the bot's token belongs to; None where Discord does not say."""
    if settings.discord_bot_token is None:
        return None
    async with _open_api(settings.discord_api_url or _DISCORD, settings.discord_bot_token) as http:
        try:
            return int((await _get(http, "/applications/@me"))["id"])
        except (GexcordError, httpx.HTTPError, KeyError, TypeError, ValueError):
            return None


def _open_api(base: str, token: SecretStr) -> httpx.AsyncClient:
    headers = {**_HEADERS, "Authorization": f"Bot {token.get_secret_value()}"}
    return httpx.AsyncClient(base_url=base, headers=headers, timeout=_TIMEOUT_S, verify=trusted())


def _logged_in(me: Any) -> Finding:
    if not isinstance(me, dict) or not {"id", "username"} <= me.keys():
        raise _NotDiscordError("The answer describes no user.")
    return ok("discord", f"logged in as {me['username']} (id {me['id']}).")


def _no_discord(base: str) -> Finding:
    host = httpx.URL(base).host
    if base == _DISCORD:
        sentence = f"something between this machine and {host} answers instead. Check the network and any proxy."
        return fail("discord", sentence, UnavailableError.exit_status)
    sentence = f"{host} answers, but not as Discord does. Correct DISCORD_API_URL; it ends in /api/v10."
    return fail("discord", sentence, ConfigurationError.exit_status)


def _login_refused(error: _RefusedError) -> Finding:
    if error.status == _UNAUTHORIZED and error.code is not None:
        sentence = "Discord refuses DISCORD_BOT_TOKEN. Copy the bot's token again from the developer portal."
        return fail("discord", sentence, LoginRequiredError.exit_status)
    return fail("discord", f"{error} Try again later.", UnavailableError.exit_status)


async def _get(http: httpx.AsyncClient, path: str) -> Any:
    response = await http.get(path)
    if response.is_error:
        raise _RefusedError(response.status_code, _code(response))
    try:
        return response.json()
    except ValueError:
        raise _NotDiscordError("The answer is not JSON.") from None


def _code(response: httpx.Response) -> int | None:
    """Discord's own code of a refusal, which only its JSON has; a proxy's page has none."""
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    code = body.get("code") if isinstance(body, dict) else None
    return code if type(code) is int else None


async def _ordered(http: httpx.AsyncClient, order: BoardOrder, me: str, now: datetime) -> Finding:
    """The channel, and who wants what in it."""
    found = await _channel(http, str(order.channel_id), me, now)
    rests = ", paused" if order.paused else ""
    return replace(found, sentence=f"{found.sentence} {', '.join(order.tickers)} by {order.origin}{rests}.")


async def _channel(http: httpx.AsyncClient, channel_id: str, me: str, now: datetime) -> Finding:
    subject = f"channel {channel_id}"
    return await _answered(subject, _look(http, subject, channel_id, me, now))


async def _named(http: httpx.AsyncClient, settings: BotSettings, me: str) -> Sequence[Finding]:
    """Whether the price may stand in names; nothing where that is not wanted."""
    found = []
    for channel_id in dict.fromkeys(
        place for channels in settings.gex_price_channel_map.values() for place in channels
    ):
        subject = f"name of {channel_id}"
        found.append(await _answered(subject, _look_at_name(http, subject, str(channel_id), me)))
    if settings.gex_price_nickname:
        found.append(await _answered("nickname", _look_at_nickname(http)))
    return found


async def _look_at_name(http: httpx.AsyncClient, subject: str, channel_id: str, me: str) -> Finding:
    """Whether the bot may rename a channel; raises as `_look`."""
    channel = await _get(http, f"/channels/{channel_id}")
    guild = await _get(http, f"/guilds/{channel['guild_id']}")
    member = await _get(http, f"/guilds/{channel['guild_id']}/members/{me}")
    granted = effective_permissions(guild, member["roles"], channel.get("permission_overwrites", []), me)
    missing = missing_permissions(granted, needed_to_rename(channel["type"]))
    if missing:
        sentence = f"the bot cannot rename #{channel.get('name', channel_id)}: it lacks {', '.join(missing)} there."
        return fail(subject, sentence, LoginRequiredError.exit_status)
    return ok(subject, f"#{channel.get('name', channel_id)} can be renamed to price and regime.")


async def _look_at_nickname(http: httpx.AsyncClient) -> Finding:
    """Whether the bot may change its nickname in every server; raises as `_look`."""
    needed = discord.Permissions(change_nickname=True)
    granted = {str(guild["name"]): discord.Permissions(int(guild["permissions"])) for guild in await _guilds(http)}
    lacking = [name for name, held in granted.items() if not held.administrator and missing_permissions(held, needed)]
    if lacking:
        sentence = f"the bot lacks Change Nickname in {listed(lacking, _MOST_NAMED)}. Grant that to its role there."
        return fail("nickname", sentence, LoginRequiredError.exit_status)
    return ok("nickname", f"price and regime can stand in it in {counted(len(granted), 'server')}.")


async def _guilds(http: httpx.AsyncClient) -> Sequence[Any]:
    found: Any = await _get(http, "/users/@me/guilds")
    if not isinstance(found, list):
        raise _NotDiscordError("The answer lists no servers.")
    return found


async def _answered(subject: str, look: Coroutine[Any, Any, Finding]) -> Finding:
    """What a look finds; what Discord refuses, or nobody can read, is a finding too."""
    try:
        return await look
    except _RefusedError as error:
        verdict = None if error.code is None else VERDICTS.get(error.code)
        if verdict is None or verdict.concerns != "channel":
            return warn(subject, f"{error} It could not be checked now.")
        return _fail(subject, verdict, subject, _STATUSES.get(error.code or 0, ConfigurationError.exit_status))
    except (_NotDiscordError, httpx.HTTPError, KeyError, TypeError, ValueError) as error:
        return warn(subject, f"Discord's answer cannot be read ({type(error).__name__}). It could not be checked now.")


async def _look(http: httpx.AsyncClient, subject: str, channel_id: str, me: str, now: datetime) -> Finding:
    """What a channel is and what the bot may do in it; _RefusedError and others where Discord does not say."""
    channel = await _get(http, f"/channels/{channel_id}")
    kind = channel["type"]
    if channel.get("guild_id") is None:
        sentence = "this is a direct conversation. Choose a channel of a server."
        return fail(subject, sentence, ConfigurationError.exit_status)
    guild = await _get(http, f"/guilds/{channel['guild_id']}")
    name = f"#{channel.get('name', channel_id)} in {guild.get('name', 'its server')}"
    if kind not in POSTABLE_TYPES:
        return _fail(subject, VERDICTS[_NO_MESSAGES], name, ConfigurationError.exit_status)
    member = await _get(http, f"/guilds/{channel['guild_id']}/members/{me}")
    home = await _get(http, f"/channels/{channel['parent_id']}") if kind in THREADS else channel
    granted = effective_permissions(guild, member["roles"], home.get("permission_overwrites", []), me)
    if (until := timed_out_until(member, granted, now)) is not None:
        sentence = (
            f"in {name} the bot is timed out until {until:%Y-%m-%d %H:%M} UTC. Ask a moderator to end the time-out."
        )
        return fail(subject, sentence, LoginRequiredError.exit_status)
    thread = channel.get("thread_metadata") or {}
    missing = missing_permissions(granted, needed_in(kind, locked=bool(thread.get("locked"))))
    return _permitted(subject, name, missing, kind, thread)


def _permitted(subject: str, name: str, missing: Sequence[str], kind: int, thread: Any) -> Finding:
    if missing == ("Manage Threads",):
        return _fail(subject, VERDICTS[_LOCKED], name, LoginRequiredError.exit_status)
    if missing:
        sentence = f"in {name} the bot lacks {', '.join(missing)}. Grant that to its role or in the channel's settings."
        return fail(subject, sentence, LoginRequiredError.exit_status)
    if kind == ANNOUNCEMENTS:
        verdict = VERDICTS[_RATIONED]
        return warn(subject, f"{verdict.words(name)} {verdict.remedy}")
    archived = " It is archived; the first message opens it again." if thread.get("archived") else ""
    return ok(subject, f"{name}: every permission is granted.{archived}")


def _fail(subject: str, verdict: Verdict, place: str, status: int) -> Finding:
    return fail(subject, f"{verdict.words(place)} {verdict.remedy}", status)
