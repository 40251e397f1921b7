"""The stored Schwab login: one small private file that several processes share (specs/schwab-wire.md §1.1, §1.5)."""

import asyncio
import errno
import os
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from streaming.errors import ConfigurationError, TransientError
from streaming.process.private_files import NO_LINK, NO_WAIT, own_uid, settle, take_lock
from streaming.schwab.login.cipher import TokenCipher
from streaming.schwab.login.formats import encode_token, parse_token
from streaming.schwab.login.tokens import Token

Version = tuple[int, int, int]
"""Inode, time of change and size of the file: another one whenever somebody saved."""
_POLL_S: Final = 0.02
_FOLDER_MODE: Final = 0o700
_TEMP_SUFFIX: Final = ".tmp"
_MOVE: Final = "Correct SCHWAB_TOKEN_PATH."
_LONGEST_BYTES: Final = 1_000_000
_MOST_LINKS: Final = 40


class TokenStore:
    """The token file in schwab-py's shape, 0600 in a 0700 folder, replaced as a whole or not at all.

    A crash at any instant leaves the old or the new token. Everybody who reads, decides and writes does so
    inside `locked()`, which excludes other tasks and other processes. With a `key` the file is encrypted at
    rest; one that is not yet is read all the same, and encrypted when it is saved next. A symbolic link stays: the file
    is written where it points, with the lock beside it, unless another user than this one and root made the link.
    A `LoginStore` for the processes of one machine.
    """

    answer_within_s = 60.0
    owes = False
    """What cannot be written is an operator's to mend, and told as that."""

    def __init__(self, path: Path, *, key: SecretStr | None = None) -> None:
        if path.name == ".env":
            raise ConfigurationError(".env is not the place for a token; it is never written.", remedy=_MOVE)
        self._path = path
        self._cipher = TokenCipher(key)
        self._turn = asyncio.Lock()

    @property
    def path(self) -> Path:
        """Where the setting says the file is."""
        return self._path

    @property
    def name(self) -> str:
        return str(self._path)

    async def look(self) -> None:
        """The file is at hand: every `load` reads it."""

    async def assure(self) -> None:
        """The lock lasts as long as its process."""

    async def keep(self, token: Token) -> None:
        self.save(token)

    async def forget(self) -> None:
        self.delete()

    def place(self) -> Path:
        """Where it really is, behind every link; ConfigurationError when another user made one of them."""
        try:
            return _followed(self._path)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def load(self) -> Token | None:
        """The stored token, or None when there is no file.

        ContractError when it holds no token, ConfigurationError when it or its key cannot be used.
        """
        try:
            raw = _read(self.place())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self._path, error) from error
        where = f"The token file {self._path}"
        return parse_token(self._cipher.open(raw, where=where), where=where)

    def version(self) -> Version | None:
        """Tells one saved state from another without reading it; None when there is no file."""
        try:
            found = _followed(self._path).lstat()
        except (OSError, ConfigurationError):
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def save(self, token: Token) -> None:
        """Replace the file; ConfigurationError when the place cannot be written."""
        content, place = self._cipher.seal(encode_token(token)), self.place()
        try:
            _open_folder(place.parent)
            handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", suffix=_TEMP_SUFFIX, dir=place.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(place)
            except BaseException:
                with suppress(OSError):
                    Path(temporary).unlink()
                raise
            settle(place.parent)
        except OSError as error:
            raise _unusable(self._path, error) from error

    def delete(self) -> None:
        """Forget the login; ConfigurationError when the file cannot be removed."""
        try:
            self.place().unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self._path, error) from error

    @asynccontextmanager
    async def locked(self, *, timeout_s: float = 30.0) -> AsyncIterator[None]:
        """Hold the store alone, in this process and among others; TransientError when it stays taken."""
        async with self._turn:
            place = self.place()
            handle = _open_lock(place)
            try:
                await self._wait_for(handle, timeout_s)
                _sweep(place)
                yield
            finally:
                os.close(handle)

    async def _wait_for(self, handle: int, timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            try:
                take_lock(handle)
            except BlockingIOError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise TransientError(f"Another process has held {self._path} for {timeout_s:.0f} s.") from None
                await asyncio.sleep(_POLL_S)
            else:
                return


def _followed(path: Path) -> Path:
    """The file behind every link on the way; OSError when the way ends or turns in a circle."""
    place, links = Path(path.anchor or Path.cwd()), 0
    ahead = list(reversed(path.parts[1:] if path.anchor else path.parts))
    while ahead:
        step = place / ahead.pop()
        try:
            found = step.lstat()
        except FileNotFoundError:
            return step.joinpath(*reversed(ahead))
        if not stat.S_ISLNK(found.st_mode):
            place = step
            continue
        if found.st_uid not in {own_uid(), 0}:
            raise ConfigurationError(f"The link {step} on the way to the token file is another user's.", remedy=_MOVE)
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = step.readlink()
        place = Path(target.anchor) if target.anchor else place
        ahead += reversed(target.parts[1:] if target.anchor else target.parts)
    return place


def _read(place: Path) -> bytes:
    """The file's bytes; a link that was put there meanwhile is not followed, and only a file is read."""
    handle = os.open(place, os.O_RDONLY | NO_LINK | NO_WAIT)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is not a file")
        raw = file.read(_LONGEST_BYTES + 1)
    if len(raw) > _LONGEST_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return raw


def _open_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)


def _open_lock(place: Path) -> int:
    lock = place.with_name(place.name + ".lock")
    try:
        _open_folder(place.parent)
        return os.open(lock, os.O_RDWR | os.O_CREAT | NO_LINK, 0o600)
    except OSError as error:
        raise _unusable(lock if error.errno == errno.ELOOP else place, error) from error


def _sweep(place: Path) -> None:
    """Remove what a writer left that died half-way; nobody else can be writing now."""
    for leftover in place.parent.glob(f".{place.name}.*{_TEMP_SUFFIX}"):
        with suppress(OSError):
            leftover.unlink()


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    reason = error.strerror or type(error).__name__
    return ConfigurationError(f"The token file {path} cannot be used: {reason}.", remedy=_MOVE)
