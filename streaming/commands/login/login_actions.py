"""`token status|import|export|logout` and `verify-refresh`: a login shown, taken over, handed on, ended and proven."""

import argparse
import stat
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from streaming.calendar import NEW_YORK
from streaming.clock import Clock
from streaming.errors import LoginRequiredError, RequestError, TransientError
from streaming.login_week import plan
from streaming.process.logs import Say
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.cipher import TokenCipher
from streaming.schwab.login.formats import encode_token
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.oauth import LOG_IN
from streaming.schwab.login.other_programs import OriginEnvironment, read_environment, read_file
from streaming.schwab.login.token_store import TokenStore
from streaming.schwab.login.tokens import Token
from streaming.status import TokenStatus

_THEIR_KEY: Final = "the key that was asked for"
_UNKNOWN_AGE: Final = "Its age is unknown, so no warning can come before its seven days end."
NOT_PROVEN: Final = 74
"""Exit status: Schwab refreshed, and the file does not hold what came back."""
_PRIVATE: Final = 0o077
_LONGEST_NUMBER: Final = 6
_STORED_WITHIN_S: Final = 300.0
_LOOK_EVERY_S: Final = 1.0


def report_status(
    status: TokenStatus, now: datetime, say: Say, *, zone: ZoneInfo = NEW_YORK, at_least: timedelta | None = None
) -> int:
    """Print the status, and return the exit status: 0 while the login lasts, `at_least` so long where that is asked.

    LoginRequiredError when there is none. A login of unknown age lasts, but not for any time that could be told.
    """
    if not status.present:
        raise LoginRequiredError(status.last_error or "There is no Schwab login.", remedy=_remedy(status))
    for line in describe(status, now, zone):
        say(line)
    if status.login_ends_at is None:
        lasts = at_least is None
    else:
        lasts = status.login_ends_at > now and status.login_ends_at - now >= (at_least or timedelta(0))
    return 0 if lasts else LoginRequiredError.exit_status


def parse_span(text: str) -> timedelta:
    """`24h`, `2d` or `90m`; ArgumentTypeError, which the shell prints, for anything else."""
    units = {"d": "days", "h": "hours", "m": "minutes"}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdecimal() or len(number) > _LONGEST_NUMBER:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no length of time, such as 24h, 2d or 90m")
    return timedelta(**{units[unit]: int(number)})


def describe(status: TokenStatus, now: datetime, zone: ZoneInfo = NEW_YORK) -> list[str]:
    """What a person wants to know of a login, a line each; times in UTC, and the end of its week in `zone` too."""
    lines = []
    if status.access_expires_at is not None:
        minutes = round((status.access_expires_at - now).total_seconds() / 60)
        lines.append(f"access token: valid for {minutes} min" if minutes > 0 else "access token: expired")
    if status.login_ends_at is None:
        lines.append("login: of unknown age; it lasts seven days from the browser login")
    elif status.login_ends_at <= now:
        lines.append(f"login: over since {status.login_ends_at:%Y-%m-%d %H:%M} UTC. {LOG_IN}")
    else:
        hours = (status.login_ends_at - now).total_seconds() / 3600
        lines.append(f"login: lasts until {status.login_ends_at:%Y-%m-%d %H:%M} UTC ({hours / 24:.1f} days)")
        lines.append(f"week: {plan(status.login_ends_at, now, zone)}")
    if status.last_refresh_at is not None:
        lines.append(f"last refresh: {status.last_refresh_at:%Y-%m-%d %H:%M} UTC")
    if status.last_error is not None:
        lines.append(f"last error: {status.last_error}")
    return lines


def _remedy(status: TokenStatus) -> str:
    """An error that was kept as a sentence has its remedy in it."""
    return "" if status.last_error else LOG_IN


async def import_login(
    store: LoginStore, path: Path | None, *, now: datetime, key: SecretStr | None, asked_key: SecretStr | None, say: Say
) -> None:
    """Store the login of a file in any known format, or without `path` that of the origin's variables."""
    cipher = TokenCipher(key) if asked_key is None else TokenCipher(asked_key, named=_THEIR_KEY)
    token = read_file(path, now=now, cipher=cipher) if path else read_environment(OriginEnvironment(), now=now)
    async with store.locked():
        await store.keep(token)
    say(f"The login of {path or 'the environment'} is now in {store.name}.")
    if token.login_at is None:
        say(_UNKNOWN_AGE)
    say("From now on, log in with only one of the two programs: a new login ends the other's.")


def export_login(store: LoginStore, path: Path, *, overwrite: bool, say: Say) -> None:
    """Write the login where schwab-py can open it, private and not encrypted."""
    token = store.load()
    if token is None:
        raise LoginRequiredError(f"There is no Schwab login in {store.name}.", remedy=LOG_IN)
    if token.login_at is None:
        raise RequestError("The login's age is unknown, and schwab-py refuses a file without it.", remedy=LOG_IN)
    if path.exists() and not overwrite:
        raise RequestError(f"{path} exists already.", remedy="Name another file, or add --force.")
    TokenStore(path).save(token)
    say(f"{path} holds the login in schwab-py's format, readable by you alone. Anybody who has it can trade for you.")


async def log_out(store: LoginStore, say: Say) -> None:
    """Delete the stored login."""
    async with store.locked():
        if store.version() is None:
            say(f"There was no login in {store.name}.")
            return
        await store.forget()
    say(f"The login in {store.name} is deleted.")
    say("Schwab itself ends a login only after its seven days, or when you log in again.")


async def wait_until_stored(store: LoginStore, clock: Clock, say: Say) -> None:
    """Stay while only this process has the newest login; TransientError when the place does not take it in time."""
    say(f"{store.name} has not stored the login yet. Do not stop this command: it waits up to five minutes for that.")
    began_s = clock.monotonic()
    while store.owes:
        if clock.monotonic() - began_s >= _STORED_WITHIN_S:
            raise TransientError(f"{store.name} has not stored the login, which ends with this command.", remedy=LOG_IN)
        with suppress(TransientError):
            await store.look()
        await clock.sleep(_LOOK_EVERY_S)


async def verify_refresh(auth: SchwabAuthClient, store: LoginStore, say: Say) -> int:
    """0 when the refresh is stored and reads back, else `NOT_PROVEN`; a refused refresh raises as ever."""
    before, version = store.load(), store.version()
    if before is None:
        raise LoginRequiredError(f"There is no Schwab login in {store.name}.", remedy=LOG_IN)
    returned = await auth.refresh()
    problems = _problems(before, returned, store.load(), replaced=store.version() != version)
    if isinstance(store, TokenStore) and (mode := stat.S_IMODE(store.path.stat().st_mode) & _PRIVATE):
        problems.append(f"others may use the file (mode bits {mode:03o})")
    if problems:
        say(f"Refreshed, but not proven: {'; '.join(problems)}.")
        return NOT_PROVEN
    rotated = "Schwab kept the refresh token" if returned.refresh_token == before.refresh_token else "rotated as well"
    say(f"Refreshed: there is a new access token, valid until {returned.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    say(f"Stored: the login in {store.name} was replaced and reads back the same; {rotated}.")
    since = "unknown" if returned.login_at is None else f"{returned.login_at:%Y-%m-%d %H:%M} UTC"
    say(f"Login: unmoved, since {since}.")
    return 0


def _problems(before: Token, returned: Token, stored: Token | None, *, replaced: bool) -> list[str]:
    problems = []
    if returned.access_token == before.access_token:
        problems.append("Schwab returned the same access token")
    if stored is None or encode_token(stored) != encode_token(returned):
        problems.append("the file does not hold what Schwab returned")
    if not replaced:
        problems.append("the file was not replaced")
    if stored is not None and stored.login_at != before.login_at:
        problems.append("the time of the login has moved")
    return problems
