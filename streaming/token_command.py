"""`python -m streaming token`: look at the Schwab login, renew it, or log in again from a shell."""

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import httpx

from streaming.clock import SystemClock
from streaming.errors import ConfigurationError, LoginRequiredError, RequestError
from streaming.schwab.auth_client import SchwabAuthClient
from streaming.schwab.token_store import TokenStore
from streaming.settings import StreamSettings, load_settings
from streaming.status import TokenStatus

Say = Callable[[str], None]
_TIMEOUT_S: Final = 20.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser of `python -m streaming`."""
    command = commands.add_parser("token", help="show, refresh or renew the Schwab login")
    command.add_argument("action", choices=("status", "refresh", "login"))
    command.set_defaults(func=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action; the status is 0, or that of the error that stopped it."""
    actions: dict[str, Callable[[SchwabAuthClient, Say], Awaitable[int]]] = {
        "status": _status,
        "refresh": _refresh,
        "login": _login,
    }
    return asyncio.run(_with_client(actions[arguments.action]))


async def _with_client(action: Callable[[SchwabAuthClient, Say], Awaitable[int]]) -> int:
    settings = load_settings(StreamSettings)
    if settings.schwab_client_id is None or settings.schwab_client_secret is None:
        raise ConfigurationError(
            "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env or the environment."
        )
    async with httpx.AsyncClient(timeout=_TIMEOUT_S) as http:
        auth = SchwabAuthClient(
            http,
            TokenStore(settings.schwab_token_path),
            client_id=settings.schwab_client_id,
            client_secret=settings.schwab_client_secret,
            api_url=settings.schwab_api_url,
            callback_url=settings.schwab_callback_url,
            clock=SystemClock(),
        )
        return await action(auth, _print)


async def _status(auth: SchwabAuthClient, say: Say) -> int:
    status = auth.status()
    if not status.present:
        raise LoginRequiredError("There is no Schwab login.", remedy="Run `python -m streaming token login`.")
    for line in describe(status, datetime.now(UTC)):
        say(line)
    return 0


async def _refresh(auth: SchwabAuthClient, say: Say) -> int:
    await auth.refresh()
    for line in describe(auth.status(), datetime.now(UTC)):
        say(line)
    return 0


async def _login(auth: SchwabAuthClient, say: Say) -> int:
    state = secrets.token_urlsafe(16)
    say("1. Open this address, sign in with your brokerage login and allow the app:")
    say(f"   {auth.authorize_url(state=state)}")
    say("2. The browser ends on a page that does not load. Paste its whole address here within 30 seconds.")
    try:
        pasted = await asyncio.to_thread(input, "   > ")
    except EOFError:
        raise RequestError("No address was pasted.", remedy="Run the command again in a terminal.") from None
    await auth.exchange_code(pasted.strip(), state=state)
    for line in describe(auth.status(), datetime.now(UTC)):
        say(line)
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def describe(status: TokenStatus, now: datetime) -> list[str]:
    """What a person wants to know of a login, a line each; times in UTC."""
    lines = []
    if status.access_expires_at is not None:
        minutes = round((status.access_expires_at - now).total_seconds() / 60)
        lines.append(f"access token: valid for {minutes} min" if minutes > 0 else "access token: expired")
    if status.login_ends_at is None:
        lines.append("login: of unknown age; it lasts seven days from the browser login")
    elif status.login_ends_at <= now:
        lines.append(f"login: over since {status.login_ends_at:%Y-%m-%d %H:%M} UTC")
    else:
        hours = (status.login_ends_at - now).total_seconds() / 3600
        lines.append(f"login: lasts until {status.login_ends_at:%Y-%m-%d %H:%M} UTC ({hours / 24:.1f} days)")
    if status.last_error is not None:
        lines.append(f"last error: {status.last_error}")
    return lines
