"""`run_bot.py --check`: would the bot do its job here? One line per subject, then the exit status.

0 all is well · 78 a setting is wrong or missing · 69 a service does not answer · 77 a login or a permission
is refused or missing. When several fail, the first of these counts.
"""

import stat
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from bot.check_discord import check_discord
from bot.check_sources import check_sources
from bot.render.numbers import age
from bot.settings import BotSettings
from streaming.clock import Clock, SystemClock
from streaming.env_file import doubtful_lines, read_text
from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError
from streaming.findings import Finding, exit_status, fail, ok, warn

_LOGIN_REMEDY: Final = "Run `python -m streaming token login`."
_PRIVATE: Final = 0o077


async def run_check(settings: BotSettings, out: Callable[[str], object], *, clock: Clock | None = None) -> int:
    """Check everything in turn, hand each line to `out` as soon as it is known, and return the exit status."""
    now = (clock or SystemClock()).now()
    findings: list[Finding] = []

    def report(part: Sequence[Finding]) -> None:
        findings.extend(part)
        for finding in part:
            out(finding.line)

    report(check_env_file(Path(".env")))
    report(check_settings(settings))
    report([await check_redis(settings)])
    report([check_token(settings, now)])
    report(await check_sources(settings, clock or SystemClock()))
    report(await check_discord(settings))
    return exit_status(findings)


def check_env_file(path: Path) -> Sequence[Finding]:
    """A warning for each line that has no effect but was probably meant to have one."""
    known = {name.upper() for name in BotSettings.model_fields}
    try:
        text = read_text(path)
    except (OSError, UnicodeError):
        return []  # there is none, or the settings would not have been read
    return [warn(".env", sentence) for sentence in doubtful_lines(text, known)]


def check_settings(settings: BotSettings) -> Sequence[Finding]:
    """What the settings amount to; that each is valid was checked when they were read."""
    names = ", ".join(ticker.name for ticker in settings.tickers)
    found = [ok("settings", f"every value is valid; tickers {names}.")]
    if settings.gex_feed_enabled and not settings.boards:
        remedy = "Set DISCORD_GEX_FEED_CHANNEL_IDS or GEX_FEED_CHANNEL_MAP."
        found.append(warn("feed", f"no channel is configured, so no live message is kept. {remedy}"))
    if not settings.gex_feed_enabled:
        found.append(warn("feed", "GEX_FEED_ENABLED is false, so no live message is kept."))
    return found


async def check_redis(settings: BotSettings) -> Finding:
    """Whether `REDIS_URL` answers, or a server of our own could be started."""
    from streaming.bus.connection import open_redis, redact_url

    if settings.redis_url is None:
        return _own_server(settings.redis_data_path)
    url = settings.redis_url.get_secret_value()
    try:
        async with open_redis(url):
            return ok("redis", f"{redact_url(url)} answers.")
    except GexcordError as error:
        return fail("redis", error.sentence, error.exit_status)


def _own_server(data_path: Path) -> Finding:
    from streaming.bus.embedded import server_binary

    try:
        server_binary()
    except GexcordError as error:
        return fail("redis", error.sentence, error.exit_status)
    if (reason := _unwritable(data_path)) is not None:
        sentence = (
            f"no data can be kept in {data_path} ({reason}). Set REDIS_DATA_PATH to another folder, or REDIS_URL."
        )
        return fail("redis", sentence, ConfigurationError.exit_status)
    return ok("redis", f"REDIS_URL is empty: a server of our own will keep its data in {data_path}.")


def _unwritable(folder: Path) -> str | None:
    """Why no file can be made in a folder, or None; tries it, and leaves nothing behind."""
    made: list[Path] = []
    try:
        for part in reversed((folder, *folder.parents)):
            if not part.exists():
                part.mkdir()
                made.append(part)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or type(error).__name__
    finally:
        for part in reversed(made):
            part.rmdir()


def check_token(settings: BotSettings, now: datetime) -> Finding:
    """Whether the Schwab login can be used: configured, present, private, not too old."""
    if not settings.tickers_from("schwab", settings.tickers):
        return ok("schwab", "not needed: every ticker comes from another source (GEX_SOURCE, GEX_SOURCE_MAP).")
    if settings.schwab_client_id is None or settings.schwab_client_secret is None:
        remedy = "Set them in .env, or set GEX_SOURCE to another source, such as cboe or redis."
        sentence = f"SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not both set. {remedy}"
        return fail("schwab", sentence, ConfigurationError.exit_status)
    return _token_file(settings.schwab_token_path, settings.schwab_token_key, now)


def _token_file(path: Path, key: SecretStr | None, now: datetime) -> Finding:
    from streaming.schwab.token_store import TokenStore

    try:
        token = TokenStore(path, key=key).load()
        mode = stat.S_IMODE(path.stat().st_mode) if token is not None else 0
    except GexcordError as error:
        return fail("schwab", error.sentence, error.exit_status)
    except OSError as error:
        sentence = f"the token file {path} cannot be read ({error.strerror}). Correct its owner or mode."
        return fail("schwab", sentence, ConfigurationError.exit_status)
    if (reason := _unwritable(path.parent)) is not None:
        sentence = f"no token can be kept in {path.parent} ({reason}). Correct SCHWAB_TOKEN_PATH or the folder's mode."
        return fail("schwab", sentence, ConfigurationError.exit_status)
    if token is None:
        return fail("schwab", f"there is no token file {path}. {_LOGIN_REMEDY}", LoginRequiredError.exit_status)
    if mode & _PRIVATE:
        return warn("schwab", f"the token file {path} has mode {mode:04o}: others can read it. Run chmod 600 {path}.")
    return _login_age(path, token.login_at, now)


def _login_age(path: Path, login_at: datetime | None, now: datetime) -> Finding:
    from streaming.schwab.oauth import LOGIN_LIFETIME

    if login_at is None:
        return warn("schwab", f"the token file {path} is readable; the age of its login is unknown.")
    since = f"the login is {age((now - login_at).total_seconds())} old"
    if now - login_at >= LOGIN_LIFETIME:
        return fail("schwab", f"{since} and over. {_LOGIN_REMEDY}", LoginRequiredError.exit_status)
    return ok("schwab", f"{since} and lasts until {login_at + LOGIN_LIFETIME:%Y-%m-%d %H:%M} UTC.")
