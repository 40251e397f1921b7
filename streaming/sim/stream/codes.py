"""The streamer's response codes and the server's patience (specs/schwab-wire.md §2.4, §2.17)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final


class ServerCode(IntEnum):
    """Response codes (specs/schwab-wire.md §2.4)."""

    SUCCESS = 0
    LOGIN_DENIED = 3
    UNKNOWN_FAILURE = 9
    SERVICE_NOT_AVAILABLE = 11
    CLOSE_CONNECTION = 12
    REACHED_SYMBOL_LIMIT = 19
    STREAM_CONN_NOT_FOUND = 20
    BAD_COMMAND_FORMAT = 21
    FAILED_COMMAND_SUBS = 22
    FAILED_COMMAND_UNSUBS = 23
    FAILED_COMMAND_ADD = 24
    FAILED_COMMAND_VIEW = 25
    STOP_STREAMING = 30


TEXTS: Final = {
    ServerCode.SUCCESS: "SUCCESS",
    ServerCode.LOGIN_DENIED: "Login Denied.: token is invalid or has expired.",
    ServerCode.SERVICE_NOT_AVAILABLE: "Service not available or temporary down.",
    ServerCode.CLOSE_CONNECTION: "Connection closed: another session of this user has logged in.",
    ServerCode.REACHED_SYMBOL_LIMIT: "Reached the limit of symbols.",
    ServerCode.STREAM_CONN_NOT_FOUND: "Stream connection not found.",
    ServerCode.BAD_COMMAND_FORMAT: "Bad command formatting.",
    ServerCode.STOP_STREAMING: "Stop streaming due to empty subscription",
}
SLOWNESS: Final = "Stop streaming due to slowness"


@dataclass(frozen=True, slots=True)
class Limits:
    """The server's patience and sizes; seconds are of real time."""

    frame_s: float = 1.0
    heartbeat_s: float = 10.0
    idle_s: float = 28.0
    keys: int = 3000
    request_keys: int = 500
    """Keys that one command may name."""
    ack_s: float = 0.0
    """Time a command takes; another one sent meanwhile fails with 22-25."""
    slow_s: float = 20.0
    """How long a client may leave what was sent unread before it is cut off with code 30."""
