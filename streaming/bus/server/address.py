"""Where our own Redis server listens, and the file that tells it so (pure)."""

import hashlib
import os
import string
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

_PLAIN: Final = frozenset(string.printable.encode()) - frozenset(string.whitespace.encode() + b'"\\') | {ord(" ")}
_ALLOWED: Final = (
    # -@admin and -@dangerous take away CONFIG, SHUTDOWN, DEBUG, MODULE, ACL, REPLICAOF, SLAVEOF, FLUSHALL, FLUSHDB,
    # SAVE, MONITOR, MIGRATE, CLIENT KILL and PAUSE and their kin; no command is renamed, for an append-only file
    # from before may hold any of them and must still be read.
    "+@all -@admin -@dangerous +info +keys +sort +role +client|list -debug -cluster"
)


class ServerAddress(msgspec.Struct, frozen=True):
    """A socket in a private folder, or with a password a port of 127.0.0.1 beside it; `url` holds that password."""

    socket: str
    port: int = 0
    password: str = ""

    @property
    def url(self) -> str:
        """What others put into REDIS_URL."""
        if self.port:
            return f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        return f"unix://{quote(self.socket)}"


def config_text(folder: Path, address: ServerAddress) -> str:
    """The server's configuration; of the password only the digest, since the server repeats lines it cannot read."""
    options = {
        "dir": _quoted(folder),
        "unixsocket": _quoted(address.socket),
        "unixsocketperm": "600",
        "port": str(address.port),
        "bind": "127.0.0.1",
        "user": f"default on {_password(address.password)} ~* &* {_ALLOWED}",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "256mb",  # at 64 MB, full books would have it rewritten every two seconds
        "save": '""',
        "daemonize": "no",
        "loglevel": "notice",
    }
    return "".join(f"{name} {value}\n" for name, value in options.items())


def _password(password: str) -> str:
    return f"#{hashlib.sha256(password.encode()).hexdigest()}" if password else "nopass"


def _quoted(path: str | Path) -> str:
    """A path as the configuration takes it: whatever is not plain stands there as hexadecimal digits."""
    return '"' + "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in os.fsencode(path)) + '"'
