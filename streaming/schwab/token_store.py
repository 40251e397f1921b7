"""The stored Schwab login: one small private file that several processes share (schwab-api.md §1.1, §1.5)."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from streaming.errors import ConfigurationError, TransientError
from streaming.schwab.token_cipher import TokenCipher
from streaming.schwab.token_formats import encode_token, parse_token
from streaming.schwab.tokens import Token

Version = tuple[int, int, int]
"""Inode, time of change and size of the file: another one whenever somebody saved."""
_POLL_S: Final = 0.02
_FOLDER_MODE: Final = 0o700
_TEMP_SUFFIX: Final = ".tmp"
_MOVE: Final = "Correct SCHWAB_TOKEN_PATH."


class TokenStore:
    """The token file in schwab-py's shape, 0600 in a 0700 folder, replaced as a whole or not at all.

    A crash at any instant leaves the old or the new token. Everybody who reads, decides and writes does so
    inside `locked()`, which excludes other tasks and other processes. With a `key` the file is encrypted at
    rest; one that is not yet is read all the same, and encrypted when it is saved next.
    """

    def __init__(self, path: Path, *, key: SecretStr | None = None) -> None:
        if path.name == ".env":
            raise ConfigurationError(".env is no place for a token; it is never written.", remedy=_MOVE)
        self._path = path
        self._cipher = TokenCipher(key)
        self._turn = asyncio.Lock()

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._path

    def load(self) -> Token | None:
        """The stored token, or None when there is no file.

        ContractError when it holds no token, ConfigurationError when it or its key cannot be used.
        """
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self._path, error) from error
        where = f"The token file {self._path}"
        return parse_token(self._cipher.open(raw, where=where), where=where)

    def version(self) -> Version | None:
        """Tells one saved state from another without reading it; None when there is no file."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def save(self, token: Token) -> None:
        """Replace the file; ConfigurationError when the place cannot be written."""
        content = self._cipher.seal(encode_token(token))
        try:
            self._open_folder()
            handle, temporary = tempfile.mkstemp(prefix=f".{self._path.name}.", suffix=_TEMP_SUFFIX, dir=self._folder)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
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
        """Forget the login; ConfigurationError when the file cannot be removed."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from error

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


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    reason = error.strerror or type(error).__name__
    return ConfigurationError(f"The token file {path} cannot be used: {reason}.", remedy=_MOVE)
