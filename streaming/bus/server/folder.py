"""The private folder of our own Redis server: one lock, one record of who runs it, its configuration, its log."""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

import msgspec

from streaming.bus.server.address import ServerAddress
from streaming.errors import UnavailableError
from streaming.process.private_files import PRIVATE_BYTES, own_uid, take_lock

_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022
_LONGEST_SOCKET: Final = 100
"""Bytes; the kernel takes 107 on Linux and 103 on macOS."""


class ServerRecord(msgspec.Struct, frozen=True):
    """Where the server of a folder listens, and which process of ours runs it."""

    address: ServerAddress
    owner_pid: int


class ServerFolder:
    """An open data folder; the lock is shared with the server, so it is free only when both are gone."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            make_private(self.path)
            self.lock_fd = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT | PRIVATE_BYTES, 0o600)
        except OSError as error:
            raise UnavailableError(
                f"The folder {path} for the data of our own Redis server cannot be used ({error.strerror}).",
                remedy="Set REDIS_DATA_PATH to a folder of your own that can be written, or REDIS_URL to a server.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.lock_fd)

    @property
    def log_path(self) -> Path:
        """What the server prints; begins anew at every start."""
        return self.path / "server.log"

    def open_log(self) -> BinaryIO:
        """The log, emptied, for the server to write to."""
        return open(self.log_path, "wb", opener=lambda path, flags: os.open(path, flags, 0o600))

    def try_lock(self) -> bool:
        """Take the lock unless another process or its server has it."""
        try:
            take_lock(self.lock_fd)
        except BlockingIOError:
            return False
        return True

    def socket_path(self) -> Path:
        """Where the server's socket belongs: in this folder, or in a shorter private one where the path is too long."""
        own = self.path / "redis.sock"
        if len(os.fsencode(own)) <= _LONGEST_SOCKET:
            return own
        return _short_folder(self.path) / "redis.sock"

    def record(self) -> ServerRecord | None:
        """The last record written, or None when there is none that can be read."""
        return read_record(self.path)

    def write_record(self, record: ServerRecord) -> None:
        """Replace the record in one step."""
        self._write("server.json", msgspec.json.encode(record))

    def write_config(self, text: str) -> Path:
        """Replace the server's configuration in one step; its path."""
        return self._write("server.conf", text.encode())

    def _write(self, name: str, content: bytes) -> Path:
        fresh, path = self.path / f"{name}.new", self.path / name
        with suppress(FileNotFoundError):
            fresh.unlink()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PRIVATE_BYTES, 0o600), "wb") as file:
            file.write(content)
        return fresh.replace(path)

    def last_words(self) -> str:
        """The last line the server printed, without its time stamp."""
        try:
            lines = self.log_path.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        spoken = [line for line in lines if line.strip()]
        return spoken[-1].partition("# ")[2].strip() or spoken[-1].strip() if spoken else ""


def read_record(folder: Path) -> ServerRecord | None:
    """What the folder's record says; None when there is none that can be read."""
    try:
        return msgspec.json.decode((folder / "server.json").read_bytes(), type=ServerRecord)
    except (OSError, msgspec.DecodeError):
        return None


def make_private(folder: Path) -> None:
    """Make a folder of mode 0700, or close an existing one to others; OSError where that cannot be."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.stat()
    if found.st_uid != own_uid():
        raise PermissionError(0, "it belongs to another user")
    if found.st_mode & _OTHERS:
        folder.chmod(0o700)
    if found.st_mode & _OTHERS_WRITE and any(entry.lstat().st_uid != found.st_uid for entry in folder.iterdir()):
        raise PermissionError(0, "others could write there, and some of its files are not ours")
    if not is_private(folder):
        raise PermissionError(0, "its file system does not keep others out")


def is_private(folder: Path) -> bool:
    """Whether it is a folder, ours, and closed to everybody else."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == own_uid() and not found.st_mode & _OTHERS


def _short_folder(data_path: Path) -> Path:
    """A private folder with a short path, the same one at every start unless somebody else has taken its name."""
    parent = min((tempfile.gettempdir(), "/tmp"), key=lambda path: len(os.fsencode(path)))  # noqa: S108  # a private folder is made in it
    digest = hashlib.sha256(os.fsencode(data_path)).hexdigest()[:12]
    folder = Path(parent, f"gexcord-{own_uid()}-{digest}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    return folder if is_private(folder) else Path(tempfile.mkdtemp(prefix="gexcord-", dir=parent))


def alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
