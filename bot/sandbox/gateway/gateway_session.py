"""One gateway session: numbered events, kept for a while so that a lost connection can resume."""

import json
from collections import deque
from enum import IntEnum
from typing import Any, Final, Protocol

EVENTS_KEPT: Final = 250


class Op(IntEnum):
    """Gateway opcodes by Discord's numbering."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE = 3
    VOICE = 4
    RESUME = 6
    RECONNECT = 7
    MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class Outlet(Protocol):
    """Where a session's frames go while somebody is connected."""

    def send(self, text: str) -> None:
        """Hand on a payload without waiting for the network."""
        ...

    def close(self, code: int) -> None:
        """End the connection with a close code."""
        ...


class GatewaySession:
    """What one IDENTIFY opened; survives its connection."""

    def __init__(self, session_id: str, intents: int, outlet: Outlet) -> None:
        self.session_id = session_id
        self.intents = intents
        self.outlet: Outlet | None = outlet
        self.detached_at_s: float | None = None
        self._sequence = 0
        self._kept: deque[tuple[int, str]] = deque(maxlen=EVENTS_KEPT)

    def dispatch(self, event: str, data: Any) -> None:
        """Number an event, remember it, and send it when somebody is connected."""
        self._sequence += 1
        text = frame(Op.DISPATCH, data, sequence=self._sequence, event=event)
        self._kept.append((self._sequence, text))
        if self.outlet is not None:
            self.outlet.send(text)

    def can_resume(self, sequence: int) -> bool:
        """Whether every event after `sequence` is still there."""
        oldest = self._kept[0][0] if self._kept else self._sequence + 1
        return oldest - 1 <= sequence <= self._sequence

    def resume(self, sequence: int, outlet: Outlet) -> None:
        """Send what was missed on the new connection, then RESUMED."""
        self.outlet = outlet
        self.detached_at_s = None
        for number, text in self._kept:
            if number > sequence:
                outlet.send(text)
        self.dispatch("RESUMED", {"_trace": []})

    def detach(self, outlet: Outlet, now_s: float) -> None:
        """Forget a connection that ended, unless a newer one took over."""
        if self.outlet is outlet:
            self.outlet, self.detached_at_s = None, now_s


def frame(op: int, data: Any, *, sequence: int | None = None, event: str | None = None) -> str:
    """A gateway payload as text."""
    return json.dumps({"op": op, "d": data, "s": sequence, "t": event}, separators=(",", ":"))
