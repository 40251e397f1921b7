"""`run_bot.py --check`: would the bot do its job here? One line per subject, then the exit status.

0 all is well · 78 a setting is wrong or missing · 69 a service does not answer · 77 a login or a permission
is refused or missing. When several fail, the first of these counts.
"""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from bot.check.discord import check_discord
from bot.check.source_checks import check_sources
from bot.feed.schedule import decide, opening_sentence
from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder, settings_orders
from bot.settings import BotSettings
from streaming.clock import Clock, SystemClock
from streaming.errors import ConfigurationError, GexcordError, TransientError, UnavailableError
from streaming.process.certificates import trusted
from streaming.process.findings import Finding, exit_status, fail, failed, ok, unwritable, warn, worst
from streaming.setting_values import doubtful_lines, doubtful_name, is_secret, read_text
from streaming.settings import ENV_FILE

_ANSWER_S: Final = 5.0


async def run_check(
    settings: BotSettings,
    out: Callable[[str], object],
    *,
    problems: Sequence[str] = (),
    env_file: Path | None = Path(ENV_FILE),
    clock: Clock | None = None,
) -> int:
    """Check everything in turn, hand each line to `out` as soon as it is known, and return the exit status.

    `problems` are the sentences about settings that were refused; `settings` has the defaults in their place.
    """
    clock = clock or SystemClock()
    now = clock.now()
    findings: list[Finding] = []

    def report(part: Sequence[Finding]) -> None:
        findings.extend(part)
        for finding in part:
            out(finding.line)

    report([] if env_file is None else check_env_file(env_file))
    report(check_environment(os.environ))
    report(check_settings(settings, problems))
    report(check_feed(settings, now))
    async with AsyncExitStack() as stack:
        redis, finding = await _open_redis(stack, settings)
        report([finding])
        report([await check_token(settings, clock, redis)])
        report(await check_sources(settings, clock, redis))
        orders = await _orders(settings, redis)
    report(await check_api(settings))
    report(await check_discord(settings, now, orders))
    return exit_status(findings)


async def _orders(settings: BotSettings, redis: Redis | None) -> Mapping[int, BoardOrder]:
    """What the settings and `/feed` want; without Redis the settings alone."""
    orders = FeedOrders(settings_orders(settings), None if redis is None else OrderStore(redis))
    with suppress(TransientError):  # the line about Redis says so
        await orders.look()
    return orders.current


def check_env_file(path: Path) -> Sequence[Finding]:
    """Which file is read, and a warning for each line that has no effect but was probably meant to have one."""
    where = path.absolute()
    try:
        text = read_text(path)
    except FileNotFoundError:
        return [ok(".env", f"there is no {where}; settings come from the environment alone.")]
    except (OSError, UnicodeError):
        return []  # the line about the settings says so
    return [ok(".env", f"{where} is read."), *[warn(".env", line) for line in doubtful_lines(text, _names())]]


def check_environment(environment: Mapping[str, str]) -> Sequence[Finding]:
    """A warning for each variable that is no setting but was probably meant to be one."""
    doubts = (doubtful_name(name, _names(), ours=False) for name in environment if name.isupper())
    return [warn("environment", sentence) for sentence in doubts if sentence is not None]


def _names() -> Collection[str]:
    fields = BotSettings.model_fields
    secrets = (f"{name.upper()}_FILE" for name, field in fields.items() if is_secret(field))
    return {*map(str.upper, fields), *secrets}


def check_settings(settings: BotSettings, problems: Sequence[str] = ()) -> Sequence[Finding]:
    """What the settings amount to, after a line for each that was refused."""
    found = [fail("settings", problem, ConfigurationError.exit_status) for problem in problems]
    names = ", ".join(ticker.name for ticker in settings.tickers)
    if problems:
        found.append(warn("settings", f"the rest is checked with the defaults in place of these; tickers {names}."))
    else:
        found.append(ok("settings", f"every value is valid; tickers {names}."))
    return found


def check_feed(settings: BotSettings, now: datetime) -> Sequence[Finding]:
    """Whether live messages are kept, and when the next one comes."""
    if not settings.gex_feed_enabled:
        return [warn("feed", "GEX_FEED_ENABLED is false, so no live message is kept.")]
    if not settings.boards:
        remedy = "Set DISCORD_GEX_FEED_CHANNEL_IDS or GEX_FEED_CHANNEL_MAP."
        return [warn("feed", f"no channel is configured, so no live message is kept. {remedy}")]
    decision = decide(now, force=settings.gex_feed_force_window)
    if (closed := opening_sentence(decision)) is not None:
        return [ok("feed", closed)]
    if decision.until is None:
        return [ok("feed", "open at any hour (GEX_FEED_FORCE_WINDOW).")]
    return [ok("feed", f"open until {decision.until:%H:%M} New York.")]


async def check_redis(settings: BotSettings) -> Finding:
    """Whether `REDIS_URL` answers or a server of our own could start."""
    async with AsyncExitStack() as stack:
        return (await _open_redis(stack, settings))[1]


async def _open_redis(stack: AsyncExitStack, settings: BotSettings) -> tuple[Redis | None, Finding]:
    """A client where there is a server, and whether `REDIS_URL` answers or a server of our own could start."""
    from streaming.bus.redis_connection import open_redis
    from streaming.bus.server.embedded import open_embedded_server
    from streaming.bus.server.folder import read_record

    folder = settings.redis_data_path
    try:
        if settings.redis_url is not None:
            url = settings.redis_url.get_secret_value()
            redis = await stack.enter_async_context(open_redis(url))
            return redis, await _named_server(redis, url)
        if read_record(folder) is None:
            return None, _own_server(folder)
        server = await stack.enter_async_context(open_embedded_server(folder, share=settings.redis_share))
        redis = await stack.enter_async_context(open_redis(server.url))
        how = "runs" if server.attached else "starts"
        return redis, ok("redis", f"REDIS_URL is empty: a server of our own {how} on the data in {folder}.")
    except GexcordError as error:
        return None, fail("redis", error.sentence, error.exit_status)


async def _named_server(redis: Redis, url: str) -> Finding:
    """That it answers; of servers that have copies, whether any follows."""
    from streaming.bus.cluster import is_replicated
    from streaming.bus.redis_connection import masters_without_copy, redact_url

    shown = redact_url(url)
    if not is_replicated(redis):
        return ok("redis", f"{shown} answers.")
    alone, masters = await masters_without_copy(redis)
    if alone:
        return warn(
            "redis", f"{shown} answers, but {alone} of its {masters} masters have no copy that could take over."
        )
    return ok("redis", f"{shown} answers; copies follow {masters} of its {masters} masters.")


def _own_server(data_path: Path) -> Finding:
    from streaming.bus.server.embedded import server_binary

    try:
        server_binary()
    except GexcordError as error:
        return fail("redis", error.sentence, error.exit_status)
    if (reason := unwritable(data_path)) is not None:
        sentence = (
            f"no data can be kept in {data_path} ({reason}). Set REDIS_DATA_PATH to another folder, or REDIS_URL."
        )
        return fail("redis", sentence, ConfigurationError.exit_status)
    return ok("redis", f"REDIS_URL is empty: a server of our own will keep its data in {data_path}.")


async def check_token(settings: BotSettings, clock: Clock, redis: Redis | None = None) -> Finding:
    """Whether the Schwab login can be used: configured, present, private, not too old."""
    if not settings.tickers_from("schwab", settings.tickers):
        return ok("schwab", "not needed: every ticker comes from another source (GEX_SOURCE, GEX_SOURCE_MAP).")
    if settings.schwab_client_id is None or settings.schwab_client_secret is None:
        remedy = "Set them in .env, or set GEX_SOURCE to another source, such as cboe or redis."
        sentence = f"SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not both set. {remedy}"
        return fail("schwab", sentence, ConfigurationError.exit_status)
    from streaming.schwab.login.token_file import login_findings
    from streaming.streamer.token_stores import token_store

    if redis is None and settings.shares_login:
        return fail("schwab", "the login is kept in Redis, which does not answer.", UnavailableError.exit_status)
    try:
        store = token_store(settings, redis, clock)
        await store.look()
    except GexcordError as error:
        return failed("schwab", error)
    encrypts = settings.schwab_token_key is not None
    return replace(worst(login_findings(store, clock.now(), encrypts=encrypts)), subject="schwab")


async def check_api(settings: BotSettings) -> Sequence[Finding]:
    """Whether other programs can be answered; nothing where that is turned off."""
    if not settings.api_port:
        return []
    from streaming.api.api import missing_token
    from streaming.api.server import ANOTHER, WHOSE
    from streaming.process.loopback import loopback_port

    if (missing := missing_token(settings)) is not None:
        return [failed("api", missing)]
    try:
        async with loopback_port(settings.api_port, whose=WHOSE, remedy=ANOTHER, host=settings.api_address) as place:
            return [ok("api", f"other programs will be answered at {place.address}.")]
    except GexcordError as error:
        if await _answers_already(settings):
            return [ok("api", f"a running Gexcord already answers at port {settings.api_port} with this token.")]
        return [failed("api", error)]


async def _answers_already(settings: BotSettings) -> bool:
    import httpx

    from streaming.api.server import NAME
    from streaming.process.loopback import LOOPBACK

    assert settings.api_token is not None  # noqa: S101  # looked at before
    host = LOOPBACK if settings.api_address == "0.0.0.0" else settings.api_address  # where all are heard
    url = httpx.URL(scheme="http", host=host, port=settings.api_port, path="/v1/symbols")
    headers = {"Authorization": f"Bearer {settings.api_token.get_secret_value()}"}
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_S, trust_env=False, verify=trusted()) as http:
            answer = await http.get(url, headers=headers)
    except httpx.HTTPError:
        return False
    return answer.headers.get("Server") == NAME and answer.is_success
