"""What stands in files and settings, found out without asking anybody. Reads only."""

import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from streaming.commands.login.symptoms import Symptom
from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError
from streaming.findings import Finding, fail, ok, warn
from streaming.schwab.login.cipher import is_sealed
from streaming.schwab.login.oauth import LOG_IN, LOGIN_LIFETIME, parse_callback
from streaming.schwab.login.other_programs import KNOWN_PLACES, OriginEnvironment
from streaming.schwab.login.store import TokenStore
from streaming.settings import StreamSettings

_OTHERS: Final = 0o077
_FIRST_FREE_PORT: Final = 1024


def failure(subject: str, error: GexcordError | Symptom) -> Finding:
    """From an error, with its own exit status, or from a known failure."""
    if isinstance(error, Symptom):
        return fail(subject, f"{error.meaning} {error.remedy}", ConfigurationError.exit_status)
    return fail(subject, error.sentence, error.exit_status)


def settings_findings(settings: StreamSettings) -> Iterator[Finding]:
    """Key, secret and callback URL, as far as they can be judged by looking."""
    origin = OriginEnvironment()
    yield _secret("SCHWAB_CLIENT_ID", settings.schwab_client_id, "SCHWAB_APPKEY", origin.app_key)
    yield _secret("SCHWAB_CLIENT_SECRET", settings.schwab_client_secret, "SCHWAB_SECRET", origin.app_secret)
    yield _callback(settings.schwab_callback_url)


def _secret(name: str, value: SecretStr | None, old_name: str, old_value: SecretStr | None) -> Finding:
    if value is None:
        hint = f" {old_name} has a value: give it the new name." if old_value is not None else ""
        return failure("settings", ConfigurationError(f"{name} is not set.{hint}", remedy="Set it in .env."))
    text = value.get_secret_value()
    if text != text.strip() or any(mark in text for mark in " \t\"'"):
        return failure("settings", ConfigurationError(f"{name} has quotes or spaces in it.", remedy="Remove them."))
    return ok("settings", f"{name} is set.")


def _callback(url: str) -> Finding:
    try:
        callback = parse_callback(url)
    except ConfigurationError as error:
        return failure("callback", error)
    if not url.startswith("https://"):
        return warn("callback", "SCHWAB_CALLBACK_URL begins with capitals; it must be equal to the app's in that too.")
    if callback.host == "localhost":
        return warn(
            "callback", "Schwab does not take localhost. Register https://127.0.0.1:8182 and set the same here."
        )
    if callback.host != "127.0.0.1":
        return warn("callback", f"{callback.host} is not this machine: logins work with --paste or in Discord only.")
    if callback.port is None or callback.port < _FIRST_FREE_PORT:
        return warn("callback", "its port needs special rights to listen at: logins work with --paste or in Discord.")
    return ok("callback", f"{url} can be listened at; it must equal the app's to the last character.")


def file_findings(store: TokenStore, now: datetime, *, encrypts: bool) -> Iterator[Finding]:
    """Whether the token file is there, private, readable and not too old."""
    try:
        path = store.place()
        yield from _folder(path.parent)
        token = store.load()
    except GexcordError as error:
        yield failure("token file", error)
        return
    if token is None:
        yield failure("token file", LoginRequiredError(f"{path} does not exist.", remedy=f"{LOG_IN}{_elsewhere()}"))
        return
    if mode := stat.S_IMODE(path.stat().st_mode) & _OTHERS:
        yield warn("token file", f"others may use {path} (mode bits {mode:03o}). Run chmod 600 {path}.")
    elif encrypts and not is_sealed(path.read_bytes()[:8]):
        yield warn("token file", f"{path} is not encrypted yet; the next refresh encrypts it.")
    else:
        yield ok("token file", f"{path} is readable and private.")
    yield _age(token.login_at, now)


def _folder(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        error = ConfigurationError(
            f"The folder {folder} may not be written.", remedy="Make it yours: chown, chmod 700."
        )
        yield failure("token file", error)
    elif stat.S_IMODE(folder.stat().st_mode) & _OTHERS & ~stat.S_IROTH & ~stat.S_IXOTH & ~stat.S_IRGRP & ~stat.S_IXGRP:
        yield warn("token file", f"others may write in {folder}. Run chmod 700 {folder}.")


def _elsewhere() -> str:
    found = [place for place in KNOWN_PLACES if Path(place).expanduser().is_file()]
    return "".join(f" Or import the other program's: `python -m streaming token import {place}`." for place in found)


def _age(login_at: datetime | None, now: datetime) -> Finding:
    if login_at is None:
        return warn(
            "login", "its age is unknown; it ends seven days after the browser login, without a warning before."
        )
    if now >= login_at + LOGIN_LIFETIME:
        return failure(
            "login", LoginRequiredError(f"over since {login_at + LOGIN_LIFETIME:%Y-%m-%d %H:%M} UTC.", remedy=LOG_IN)
        )
    if login_at > now:
        return warn("login", "it lies in the future: the clock of this machine or of another one was wrong.")
    left = login_at + LOGIN_LIFETIME - now
    return ok(
        "login", f"lasts until {login_at + LOGIN_LIFETIME:%Y-%m-%d %H:%M} UTC ({left.days} d {left.seconds // 3600} h)."
    )
