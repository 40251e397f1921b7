"""`python -m streaming token …` and `verify-refresh`: the Schwab login from a shell."""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from shutil import get_terminal_size
from typing import Final

import httpx
from pydantic import SecretStr

from streaming.clock import Clock, SystemClock
from streaming.commands.login.doctor import Doctor, explain_message
from streaming.commands.login.login_actions import (
    describe,
    export_login,
    import_login,
    log_out,
    parse_span,
    report_status,
    verify_refresh,
    wait_until_stored,
)
from streaming.commands.login.sign_in import browser_for, sign_in
from streaming.errors import ConfigurationError, RequestError, TransientError
from streaming.process.http_bodies import open_client
from streaming.process.logs import settings_of_command
from streaming.schwab.login.auth_client import SchwabAuthClient, stored_status
from streaming.schwab.login.cipher import new_key
from streaming.schwab.login.login_store import LoginStore
from streaming.settings import StreamSettings
from streaming.streamer.token_stores import open_token_store

_TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class LoginTools:
    """What every action works with."""

    settings: StreamSettings
    store: LoginStore
    http: httpx.AsyncClient
    clock: Clock

    def auth(self) -> SchwabAuthClient:
        """The client of the app in the settings; ConfigurationError when there is none."""
        client_id, client_secret = self.settings.schwab_client_id, self.settings.schwab_client_secret
        if client_id is None or client_secret is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy="Set them in .env or the environment."
            )
        return SchwabAuthClient(
            self.http,
            self.store,
            client_id=client_id,
            client_secret=client_secret,
            api_url=self.settings.schwab_api_url,
            callback_url=self.settings.schwab_callback_url,
            clock=self.clock,
        )

    @property
    def has_app(self) -> bool:
        """Whether the settings name an app."""
        return self.settings.schwab_client_id is not None and self.settings.schwab_client_secret is not None


Action = Callable[[LoginTools, argparse.Namespace], Awaitable[int]]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands to the parser of `python -m streaming`."""
    token = commands.add_parser("token", help="the Schwab login: show, renew, import, export, find what is wrong")
    actions = token.add_subparsers(title="actions", required=True, metavar="ACTION")
    status = _add(actions, "status", _status, "how long the login and the access token last")
    status.add_argument(
        "--at-least", type=parse_span, metavar="24h", help="exit status 77 if the login lasts less; also 90m, 2d"
    )
    login = _add(actions, "login", _login, "log in with a browser; once a week")
    login.add_argument("--paste", action="store_true", help="paste the redirect URL instead of waiting for the browser")
    login.add_argument("--no-browser", action="store_true", help="open no browser on this machine")
    _add(actions, "refresh", _refresh, "renew the access token now")
    source = _add(actions, "import", _import, "take over the login of another program")
    source.add_argument("file", type=Path, nargs="?", help="token file or database of any known program")
    source.add_argument("--environment", action="store_true", help="read SCHWAB_TOKENS_JSON or SCHWAB_REFRESH_TOKEN")
    source.add_argument("--ask-key", action="store_true", help="ask for the key that the file is encrypted with")
    target = _add(actions, "export", _export, "write the login in schwab-py's format, not encrypted")
    target.add_argument("file", type=Path)
    target.add_argument("--force", action="store_true", help="replace a file that exists")
    _add(actions, "logout", _logout, "delete the stored login")
    _add(actions, "doctor", _doctor, "find out why the login does not work")
    explain = actions.add_parser("explain", help="what a message from the browser, the log or this program means")
    explain.add_argument("words", nargs="+", metavar="MESSAGE")
    explain.set_defaults(func=_explain)
    key = actions.add_parser("new-key", help="print a fresh key for SCHWAB_TOKEN_KEY")
    key.set_defaults(func=_new_key)
    _add(commands, "verify-refresh", _verify, "refresh the Schwab token once and prove that it was stored")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, action: Action, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.set_defaults(func=run, action=action)
    return command


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action; its exit status, or that of the error that stopped it."""
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> int:
    async with _open_desk() as desk:
        action: Action = arguments.action
        try:
            return await action(desk, arguments)
        except TransientError:
            if not desk.store.owes:
                raise
        await wait_until_stored(desk.store, desk.clock, _say)
        return _tell(desk)


@asynccontextmanager
async def _open_desk() -> AsyncIterator[LoginTools]:
    settings, clock = settings_of_command(), SystemClock()
    async with open_token_store(settings, clock) as store, open_client(timeout_s=_TIMEOUT_S) as http:
        yield LoginTools(settings, store, http, clock)


async def _status(desk: LoginTools, arguments: argparse.Namespace) -> int:
    status, zone = stored_status(desk.store, configured=desk.has_app), desk.settings.operator_zone
    return report_status(status, desk.clock.now(), _say, zone=zone, at_least=arguments.at_least)


async def _login(desk: LoginTools, arguments: argparse.Namespace) -> int:
    shown = sys.stdout.isatty()
    await sign_in(
        desk.auth(),
        desk.settings.schwab_callback_url,
        paste=arguments.paste,
        say=_say,
        columns=get_terminal_size().columns if shown else 0,
        browse=browser_for(os.environ) if shown and not arguments.no_browser else None,
    )
    return _tell(desk)


async def _refresh(desk: LoginTools, _arguments: argparse.Namespace) -> int:
    await desk.auth().refresh()
    return _tell(desk)


async def _import(desk: LoginTools, arguments: argparse.Namespace) -> int:
    if (arguments.file is None) is not arguments.environment:
        raise RequestError("Name either a file or --environment.")
    asked = SecretStr(_ask_key()) if arguments.ask_key else None
    key = desk.settings.schwab_token_key
    await import_login(desk.store, arguments.file, now=desk.clock.now(), key=key, asked_key=asked, say=_say)
    return _tell(desk)


async def _export(desk: LoginTools, arguments: argparse.Namespace) -> int:
    export_login(desk.store, arguments.file, overwrite=arguments.force, say=_say)
    return 0


async def _logout(desk: LoginTools, _arguments: argparse.Namespace) -> int:
    await log_out(desk.store, _say)
    return 0


async def _doctor(desk: LoginTools, _arguments: argparse.Namespace) -> int:
    auth = desk.auth() if desk.has_app else None
    return await Doctor(desk.settings, desk.store, auth, http=desk.http, clock=desk.clock, say=_say).examine()


async def _verify(desk: LoginTools, _arguments: argparse.Namespace) -> int:
    return await verify_refresh(desk.auth(), desk.store, _say)


def _explain(arguments: argparse.Namespace) -> int:
    return explain_message(arguments.words, _say)


def _new_key(_arguments: argparse.Namespace) -> int:
    _say(new_key())
    return 0


def _tell(desk: LoginTools) -> int:
    for line in describe(stored_status(desk.store), desk.clock.now(), desk.settings.operator_zone):
        _say(line)
    return 0


def _ask_key() -> str:
    if sys.stdin.isatty():
        return getpass("Key: ").strip()
    return sys.stdin.readline().strip()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
