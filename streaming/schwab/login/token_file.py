"""What is stored as the login, for `token doctor` and `run_bot.py --check`: found out without asking Schwab."""

import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from streaming.errors import ConfigurationError, GexcordError, LoginRequiredError
from streaming.process.findings import Finding, failed, ok, unwritable, warn
from streaming.schwab.login.cipher import is_sealed
from streaming.schwab.login.login_store import LoginStore
from streaming.schwab.login.oauth import LOG_IN, LOGIN_LIFETIME
from streaming.schwab.login.other_programs import KNOWN_PLACES
from streaming.schwab.login.token_store import TokenStore

_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022


def login_findings(store: LoginStore, now: datetime, *, encrypts: bool) -> Iterator[Finding]:
    """Whether a login is stored, can be read and is not too old, wherever it is kept; a shared place was looked at."""
    if isinstance(store, TokenStore):
        yield from file_findings(store, now, encrypts=encrypts)
        return
    try:
        token = store.load()
    except GexcordError as error:
        yield failed("login store", error)
        return
    if token is None:
        remedy = "Log in, or take over the login of a file: `python -m streaming token import FILE`."
        yield failed("login store", LoginRequiredError(f"there is no login in {store.name}.", remedy=remedy))
        return
    yield ok("login store", f"{store.name} holds the login for every machine with this SCHWAB_TOKEN_KEY.")
    yield _age(token.login_at, now)


def file_findings(store: TokenStore, now: datetime, *, encrypts: bool) -> Iterator[Finding]:
    """Whether the token file is there, private, readable and not too old; what is made to find out is removed."""
    try:
        path = store.place()
        yield from _folder(path.parent)
        token = store.load()
        mode, start = (0, b"") if token is None else (stat.S_IMODE(path.stat().st_mode), path.read_bytes()[:8])
    except GexcordError as error:
        yield failed("token file", error)
        return
    except OSError as error:
        reason = error.strerror or type(error).__name__
        sentence = f"the token file {store.path} cannot be read ({reason})."
        yield failed("token file", ConfigurationError(sentence, remedy="Correct its owner or mode."))
        return
    if token is None:
        missing = LoginRequiredError(f"there is no token file {path}.", remedy=f"{LOG_IN}{_elsewhere()}")
        yield failed("token file", missing)
        return
    if mode & _OTHERS:
        yield warn("token file", f"others may use {path} (mode {mode:04o}). Run chmod 600 {path}.")
    elif encrypts and not is_sealed(start):
        yield warn("token file", f"{path} is not encrypted yet; the next refresh encrypts it.")
    else:
        yield ok("token file", f"{path} is readable and private.")
    yield _age(token.login_at, now)


def _folder(folder: Path) -> Iterator[Finding]:
    if (reason := unwritable(folder)) is not None:
        sentence = f"no token can be kept in {folder} ({reason})."
        remedy = "Correct SCHWAB_TOKEN_PATH, or the folder's owner and mode."
        yield failed("token file", ConfigurationError(sentence, remedy=remedy))
    elif folder.is_dir() and stat.S_IMODE(folder.stat().st_mode) & _OTHERS_WRITE:
        yield warn("token file", f"others may write in {folder}. Run chmod 700 {folder}.")


def _elsewhere() -> str:
    found = [place for place in KNOWN_PLACES if Path(place).expanduser().is_file()]
    return "".join(f" Or import the other program's: `python -m streaming token import {place}`." for place in found)


def _age(login_at: datetime | None, now: datetime) -> Finding:
    if login_at is None:
        unknown = "the login's age is unknown; it ends seven days after the browser login, without a warning before."
        return warn("login", unknown)
    end = f"{login_at + LOGIN_LIFETIME:%Y-%m-%d %H:%M} UTC"
    if now >= login_at + LOGIN_LIFETIME:
        return failed("login", LoginRequiredError(f"the login is over since {end}.", remedy=LOG_IN))
    if login_at > now:
        return warn("login", "the login's time is in the future: the clock of this or another machine was wrong.")
    left = login_at + LOGIN_LIFETIME - now
    return ok("login", f"the login lasts until {end} ({left.days} d {left.seconds // 3600} h).")
