"""Logins of other programs, read from their files, databases and environment variables (specs/schwab-wire.md §1.5)."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from streaming.errors import ContractError, RequestError
from streaming.schwab.login.cipher import TokenCipher, is_sealed
from streaming.schwab.login.formats import parse_token, token_of_tree
from streaming.schwab.login.tokens import Token

KNOWN_PLACES: Final = (
    "~/.schwabdev/tokens.db",
    "tokens.json",
    ".schwab_tokens.json",
    "data/schwab_tokens.json",
    "schwab.token",
    "token.json",
)
"""Where other programs keep a login when nobody told them otherwise."""
_SQLITE: Final = b"SQLite format 3\0"
_PICKLE_MARKS: Final = (
    b"\x80\x02",
    b"\x80\x03",
    b"\x80\x04",
    b"\x80\x05",
    b"(dp",
    b"}q",
    b"ccopy_reg",
    b"c__builtin__",
)
_MOST_BYTES: Final = 1_000_000
_TABLE: Final = "schwabdev"
_COLUMNS: Final = (
    "access_token_issued",
    "refresh_token_issued",
    "access_token",
    "refresh_token",
    "id_token",
    "expires_in",
    "token_type",
    "scope",
)


class OriginEnvironment(BaseSettings):
    """The variables in which the origin system kept a login, from the environment over `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True, env_ignore_empty=True
    )
    tokens_json: SecretStr | None = Field(None, validation_alias="SCHWAB_TOKENS_JSON")
    refresh_token: SecretStr | None = Field(
        None, validation_alias=AliasChoices("SCHWAB_REFRESH_TOKEN", "SCHWAB_RTOKEN")
    )
    access_token: SecretStr | None = Field(None, validation_alias=AliasChoices("SCHWAB_ACCESS_TOKEN", "SCHWAB_ATOKEN"))
    app_key: SecretStr | None = Field(None, validation_alias="SCHWAB_APPKEY")
    app_secret: SecretStr | None = Field(None, validation_alias=AliasChoices("SCHWAB_SECRET", "SCHWAB_SECRECT"))


def read_file(path: Path, *, now: datetime, cipher: TokenCipher) -> Token:
    """The login in a file of any known format; RequestError, naming the file, when there is none in it.

    `cipher` opens what is encrypted. A pickle is refused, never opened: opening one runs what is in it.
    """
    raw = _read(path)
    if raw.startswith(_PICKLE_MARKS):
        raise RequestError(
            f"{path} is a Python pickle, which can run any code when it is opened; it is refused.",
            remedy="Log in again with `python -m streaming token login`.",
        )
    try:
        if raw.startswith(_SQLITE):
            return token_of_tree(_row(path, cipher), where=str(path), now=now)
        return parse_token(cipher.open(raw.strip(), where=str(path)), where=str(path), now=now)
    except ContractError as error:
        raise RequestError(str(error), remedy="Its formats are listed in specs/operations.md.") from error


def read_environment(environment: OriginEnvironment, *, now: datetime) -> Token:
    """The login in the origin system's variables; RequestError when they hold none."""
    token: Token | None = None
    if environment.tokens_json is not None:
        raw = environment.tokens_json.get_secret_value().encode()
        try:
            token = parse_token(raw, where="SCHWAB_TOKENS_JSON", now=now)
        except ContractError as error:
            raise RequestError(str(error)) from error
    elif environment.refresh_token is not None:
        access = environment.access_token
        token = Token(access.get_secret_value() if access else "", environment.refresh_token.get_secret_value())
    if token is None:
        raise RequestError("Neither SCHWAB_TOKENS_JSON nor SCHWAB_REFRESH_TOKEN is set.")
    return token


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from error
    if len(raw) > _MOST_BYTES and not raw.startswith(_SQLITE):
        raise RequestError(f"{path} is far too large for a token file.")
    return raw


def _row(path: Path, cipher: TokenCipher) -> Mapping[str, Any]:
    """Schwabdev's one row, opened read-only, with what is encrypted opened as well."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as database:
            row = database.execute(f"SELECT {', '.join(_COLUMNS)} FROM {_TABLE} LIMIT 1").fetchone()  # noqa: S608 - constants
    except sqlite3.Error as error:
        raise ContractError(f"{path} is not a token database of Schwabdev ({error}).") from error
    if row is None:
        raise ContractError(f"{path} holds no login.")
    return {name: _clear(value, cipher, f"{path}") for name, value in zip(_COLUMNS, row, strict=True)}


def _clear(value: object, cipher: TokenCipher, where: str) -> object:
    if isinstance(value, str) and is_sealed(value.encode()):
        return cipher.open(value.encode(), where=where).decode("utf-8", "replace")
    return value
