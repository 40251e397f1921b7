"""The stored Schwab login: one small private file that several processes share (schwab-api.md §1.1, §1.5)."""

import asyncio
import fcntl
import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from streaming.errors import ConfigurationError, ContractError, TransientError

_POLL_S: Final = 0.02
_MILLISECONDS_FROM: Final = 10**11
_MAX_NESTING: Final = 10
_FOLDER_MODE: Final = 0o700
_TEMP_SUFFIX: Final = ".tmp"


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and what renews it; its repr shows neither."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime | None = None
    """When the access token dies, in UTC; None means unknown, so treat it as dead."""
    login_at: datetime | None = None
    """The browser login that started the 7 days; a refresh never moves it. None means unknown."""
    refreshed_at: datetime | None = None
    id_token: str | None = field(default=None, repr=False)
    scope: str = "api"
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name, not a secret

    def seconds_left(self, now: datetime) -> float:
        """Seconds until the access token dies; 0 when unknown."""
        return 0.0 if self.expires_at is None else (self.expires_at - now).total_seconds()


class TokenStore:
    """The token file in schwab-py's shape, 0600 in a 0700 folder, replaced as a whole or not at all.

    A crash at any instant leaves the old or the new token. Everybody who reads, decides and writes does so
    inside `locked()`, which excludes other tasks and other processes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = asyncio.Lock()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def load(self) -> Token | None:
        """The stored token, or None when there is no file; ContractError when it holds no token."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self._path, error) from error
        return parse_token(raw, where=str(self._path))

    def save(self, token: Token) -> None:
        """Replace the file; ConfigurationError when the place cannot be written."""
        text = json.dumps(token_document(token), indent=1)
        try:
            self._open_folder()
            handle, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=_TEMP_SUFFIX, dir=self._folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(self._path)
            except BaseException:
                with suppress(OSError):
                    Path(temporary).unlink()
                raise
            self._sync_folder()
        except OSError as error:
            raise _unusable(self._path, error) from error

    def delete(self) -> None:
        """Forget the login."""
        self._path.unlink(missing_ok=True)

    @asynccontextmanager
    async def locked(self, *, timeout_s: float = 30.0) -> AsyncIterator[None]:
        """Hold the store alone, in this process and among others; TransientError when it stays taken."""
        async with self._turn:
            handle = self._open_lock()
            try:
                await self._wait_for(handle, timeout_s)
                self._sweep()
                yield
            finally:
                os.close(handle)

    @property
    def _folder(self) -> Path:
        return self._path.parent

    def _open_folder(self) -> None:
        if not self._folder.is_dir():
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def _open_lock(self) -> int:
        try:
            self._open_folder()
            return os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unusable(self._path, error) from error

    async def _wait_for(self, handle: int, timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise TransientError(f"Another process has held {self._path} for {timeout_s:.0f} s.") from None
                await asyncio.sleep(_POLL_S)
            else:
                return

    def _sweep(self) -> None:
        """Remove what a writer left that died half-way; nobody else can be writing now."""
        for leftover in self._folder.glob(f".{self._path.name}.*{_TEMP_SUFFIX}"):
            with suppress(OSError):
                leftover.unlink()

    def _sync_folder(self) -> None:
        handle = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def token_document(token: Token) -> dict[str, Any]:
    """The file's content: schwab-py's shape, with our own fields beside it."""
    inner: dict[str, Any] = {
        "access_token": token.access_token,
        "refresh_token": token.refresh_token,
        "token_type": token.token_type,
        "scope": token.scope,
        "expires_in": 1800,
        "expires_at": int(token.expires_at.timestamp()) if token.expires_at else 0,
    }
    if token.id_token:
        inner["id_token"] = token.id_token
    document: dict[str, Any] = {"token": inner}
    if token.login_at is not None:
        document["creation_timestamp"] = int(token.login_at.timestamp())
    if token.refreshed_at is not None:
        document["refreshed_at"] = int(token.refreshed_at.timestamp())
    return document


def parse_token(raw: bytes, *, where: str) -> Token:
    """Read schwab-py's shape, a flat token or any nesting of them; `where` names the source in the error.

    The login time is the earliest credible one on the way down; none is ever invented.
    """
    try:
        node = json.loads(raw)
    except (ValueError, RecursionError):
        raise ContractError(f"{where} is not JSON.", remedy=_LOG_IN) from None
    login_at: datetime | None = None
    refreshed_at: datetime | None = None
    for _ in range(_MAX_NESTING):
        if not isinstance(node, dict):
            break
        login_at = _earliest(login_at, *(_instant(node.get(name)) for name in _LOGIN_NAMES))
        refreshed_at = refreshed_at or _instant(node.get("refreshed_at"))
        if _string(node, "refresh_token"):
            return _token_of(node, login_at, refreshed_at)
        node = next((node[name] for name in _NESTS if isinstance(node.get(name), dict)), None)
    raise ContractError(f"{where} holds no refresh token.", remedy=_LOG_IN)


_LOG_IN: Final = "Log in again with `python -m streaming token login`."
_LOGIN_NAMES: Final = ("creation_timestamp", "refresh_token_issued")
_NESTS: Final = ("token", "tokens", "token_dictionary")


def _token_of(node: Mapping[str, Any], login_at: datetime | None, refreshed_at: datetime | None) -> Token:
    return Token(
        access_token=_string(node, "access_token"),
        refresh_token=_string(node, "refresh_token"),
        expires_at=_instant(node.get("expires_at")),
        login_at=login_at,
        refreshed_at=refreshed_at,
        id_token=_string(node, "id_token") or None,
        scope=_string(node, "scope") or "api",
    )


def _string(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    return value if isinstance(value, str) else ""


def _instant(value: object) -> datetime | None:
    """Seconds or milliseconds as number or text, or ISO 8601 (naive means UTC); None when it is no time."""
    if isinstance(value, str):
        return _instant_of_text(value)
    if not isinstance(value, (int, float)) or isinstance(value, bool) or value <= 0:
        return None
    try:
        return datetime.fromtimestamp(value / 1000.0 if value > _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _instant_of_text(text: str) -> datetime | None:
    with suppress(ValueError):
        return _instant(float(text))
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    reason = error.strerror or type(error).__name__
    return ConfigurationError(f"The token file {path} cannot be used: {reason}.", remedy="Correct SCHWAB_TOKEN_PATH.")
