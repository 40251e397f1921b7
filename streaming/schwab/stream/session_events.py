"""What a stream session tells its owner; one record for each thing that can happen (specs/schwab-wire.md §2.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.rows import DataBlock


class Code(IntEnum):
    """Schwab's response and notice codes."""

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
    SUCCEEDED_COMMAND_SUBS = 26
    SUCCEEDED_COMMAND_UNSUBS = 27
    SUCCEEDED_COMMAND_ADD = 28
    SUCCEEDED_COMMAND_VIEW = 29
    STOP_STREAMING = 30


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """LOGIN was accepted."""

    message: str


@dataclass(frozen=True, slots=True)
class LoginDenied:
    """LOGIN was refused; the server closes."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A change of subscriptions was acknowledged (SUBS, ADD or UNSUBS)."""

    service: Service
    command: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeysRefused:
    """A change of subscriptions failed; its keys are left out until they are asked for again."""

    service: Service
    command: str
    keys: tuple[str, ...]
    code: int
    message: str


@dataclass(frozen=True, slots=True)
class ServiceUnavailable:
    """Code 11: this service is not served now; the others go on."""

    service: Service
    message: str


@dataclass(frozen=True, slots=True)
class SymbolLimit:
    """Code 19: too many keys; these were left out."""

    service: Service
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KickedOut:
    """Code 12: another connection of the same user took over."""

    message: str


@dataclass(frozen=True, slots=True)
class StopStreaming:
    """Code 30: the server ends this stream."""

    message: str


@dataclass(frozen=True, slots=True)
class ConnectionUnknown:
    """Code 20 or another sign that the server does not know this connection any more."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """LOGOUT was acknowledged; the server closes."""


@dataclass(frozen=True, slots=True)
class ServerHeartbeat:
    """The server is alive and has nothing to say."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something harmless that the protocol does not foresee; worth a line in the log."""

    what: str


@dataclass(frozen=True, slots=True)
class Tolerated:
    """A frame broke its shape and was read leniently; what could not be read is left out."""

    dropped: int
    """Rows or elements lost."""


@dataclass(frozen=True, slots=True)
class BadFrame:
    """A frame in which nothing could be used."""

    what: str


@dataclass(frozen=True, slots=True)
class Data:
    """Rows of one frame, or of several that came together."""

    blocks: Sequence[DataBlock]
    continues: bool = False
    """Whether they are the rest of a block whose first rows came before."""


SessionEvent = (
    LoggedIn
    | LoginDenied
    | BadFrame
    | Subscribed
    | KeysRefused
    | ServiceUnavailable
    | SymbolLimit
    | KickedOut
    | StopStreaming
    | ConnectionUnknown
    | LoggedOut
    | ServerHeartbeat
    | Oddity
    | Tolerated
    | Data
)
