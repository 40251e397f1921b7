"""What to do about the end of a stream connection, and how long to wait before the next. Pure."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from streaming.schwab.rest.route_trouble import RouteTiming
from streaming.schwab.stream.session_events import (
    ConnectionUnknown,
    KickedOut,
    LoggedOut,
    LoginDenied,
    SessionEvent,
    StopStreaming,
)


class Reaction(Enum):
    """What the owner of a session does next."""

    GO_ON = auto()
    RECONNECT = auto()
    """After the backoff."""
    RENEW_TOKEN = auto()
    """Refresh once and log in again at once."""
    GIVE_UP_LOGIN = auto()
    """A fresh token was denied as well: this route refuses us, so wait long."""
    YIELD = auto()
    """Another program took the stream over: stop and tell; fighting would evict both for ever."""


def reaction_to(event: SessionEvent, *, denied_before: bool) -> Reaction:
    """The decided reaction to each thing a session can tell (specs/schwab-wire.md §2.4)."""
    if isinstance(event, LoginDenied):
        return Reaction.GIVE_UP_LOGIN if denied_before else Reaction.RENEW_TOKEN
    if isinstance(event, KickedOut):
        return Reaction.YIELD
    if isinstance(event, (StopStreaming, ConnectionUnknown, LoggedOut)):
        return Reaction.RECONNECT
    return Reaction.GO_ON


def ending_text(event: SessionEvent) -> str:
    """An ending for the status line, with the server's own words."""
    if isinstance(event, LoginDenied):
        return f"code {event.code}, login denied: {_short(event.message)}"
    if isinstance(event, KickedOut):
        return f"code 12, another connection took over: {_short(event.message)}"
    if isinstance(event, StopStreaming):
        return f"code 30, the server stopped the stream: {_short(event.message)}"
    if isinstance(event, ConnectionUnknown):
        return f"code {event.code}: {_short(event.message)}"
    return type(event).__name__


def _short(message: str) -> str:
    return message.strip()[:120] or "no reason given"


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """How long the stream client waits for what, in seconds."""

    open_s: float = 15.0
    login_s: float = 15.0
    answer_s: float = 15.0
    silence_s: float = 75.0
    """No frame at all, heartbeats included, for this long means the connection is dead (§2.18)."""
    close_s: float = 2.0
    first_delay_s: float = 1.0
    max_delay_s: float = 60.0
    settle_s: float = 5.0
    """Data must have flowed this long before the backoff starts anew."""
    first_image_s: float = 15.0
    """A subscribed symbol that has sent nothing for so long in its session is missing."""
    data_silence_s: float = 120.0
    """No share, index or future moved for so long in session: the data is lost, heartbeats or not."""
    yield_s: float = 1800.0
    """How long another program that took the stream over is left alone; doubles each time, up to eight hours."""
    routes: RouteTiming = field(default_factory=RouteTiming)


_MAX_YIELDS: Final = 4


def yield_s(timing: StreamTiming, times: int) -> float:
    """How long to leave the stream to another program that has taken it over `times` times in a row."""
    return timing.yield_s * 2.0 ** min(times - 1, _MAX_YIELDS)
