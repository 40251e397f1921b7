"""The folder of our own Redis server: one lock, one record of who runs it, one log."""

import fcntl
import os
from pathlib import Path
from typing import Self

import msgspec

from streaming.errors import UnavailableError


class ServerRecord(msgspec.Struct, frozen=True):
    """Where the server of a folder listens, and which process of ours runs it."""

    port: int
    owner_pid: int


class ServerFolder:
    """An open data folder; the lock is shared with the server, so it is free only when both are gone."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.lock_fd = os.open(self.path / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise UnavailableError(
                f"The folder {path} for the data of our own Redis server cannot be used ({error.strerror}).",
                remedy="Set REDIS_DATA_PATH to a folder that can be written, or REDIS_URL to a running server.",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.lock_fd)

    @property
    def log_path(self) -> Path:
        """What the server prints; begins anew at every start."""
        return self.path / "server.log"

    def try_lock(self) -> bool:
        """Take the lock unless another process or its server has it."""
        try:
            fcntl.flock(self.lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def record(self) -> ServerRecord | None:
        """The last record written, or None when there is none that can be read."""
        try:
            return msgspec.json.decode((self.path / "server.json").read_bytes(), type=ServerRecord)
        except (OSError, msgspec.DecodeError):
            return None

    def write_record(self, record: ServerRecord) -> None:
        """Replace the record in one step."""
        fresh = self.path / "server.json.new"
        fresh.write_bytes(msgspec.json.encode(record))
        fresh.replace(self.path / "server.json")

    def last_words(self) -> str:
        """The last line the server printed, without its time stamp."""
        try:
            lines = self.log_path.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        spoken = [line for line in lines if line.strip()]
        return spoken[-1].partition("# ")[2].strip() or spoken[-1].strip() if spoken else ""


def alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
