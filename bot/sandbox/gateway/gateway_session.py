"""One gateway session and its connection: numbered events, kept for a while so that a lost connection can resume."""

import asyncio
import contextlib
import json
import logging
import zlib
from collections import deque
from enum import IntEnum
from typing import Any, Final, NamedTuple

from aiohttp import web

log = logging.getLogger(__name__)

EVENTS_KEPT: Final = 250
_QUEUE: Final = 1_000


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


class Shard(NamedTuple):
    """One of `total` connections of a bot, each of which hears of its own guilds."""

    number: int
    total: int

    def hears_of(self, guild_id: int | None) -> bool:
        """Whether events of a guild come here; those without one come to the first."""
        return self.number == (0 if guild_id is None else (guild_id >> 22) % self.total)


ONLY_SHARD: Final = Shard(0, 1)


class GatewayConnection:
    """One WebSocket: a bounded queue of frames with one writer; a client too slow for it is cut off."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, *, compress: bool) -> None:
        self._socket = socket
        self._transport = request.transport
        self._zlib = zlib.compressobj() if compress else None
        self._queue: asyncio.Queue[str | int] = asyncio.Queue(_QUEUE)

    def send(self, text: str) -> None:
        """Queue a payload; a client that does not keep up is cut off."""
        self._put(text)

    def close(self, code: int) -> None:
        """Close with a code after what is already queued."""
        self._put(code)

    def abort(self) -> None:
        """Cut the connection without a close frame."""
        if self._transport is not None:
            self._transport.abort()

    async def write(self) -> None:
        """Send what is queued until the connection ends."""
        with contextlib.suppress(ConnectionError):
            while isinstance(item := await self._queue.get(), str):
                await self._send(item)
            await self._socket.close(code=item)

    async def _send(self, text: str) -> None:
        if self._zlib is None:
            await self._socket.send_str(text)
        else:
            await self._socket.send_bytes(self._zlib.compress(text.encode()) + self._zlib.flush(zlib.Z_SYNC_FLUSH))

    def _put(self, item: str | int) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            log.warning("A gateway client does not keep up; its connection is cut.")
            self.abort()


class GatewaySession:
    """What one IDENTIFY opened; survives its connection."""

    def __init__(self, session_id: str, intents: int, outlet: GatewayConnection, shard: Shard = ONLY_SHARD) -> None:
        self.session_id = session_id
        self.intents = intents
        self.shard = shard
        self.outlet: GatewayConnection | None = outlet
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

    def resume(self, sequence: int, outlet: GatewayConnection) -> None:
        """Send what was missed on the new connection, then RESUMED."""
        self.outlet = outlet
        self.detached_at_s = None
        for number, text in self._kept:
            if number > sequence:
                outlet.send(text)
        self.dispatch("RESUMED", {"_trace": []})

    def detach(self, outlet: GatewayConnection, now_s: float) -> None:
        """Forget a connection that ended, unless a newer one took over."""
        if self.outlet is outlet:
            self.outlet, self.detached_at_s = None, now_s


def frame(op: int, data: Any, *, sequence: int | None = None, event: str | None = None) -> str:
    """A gateway payload as text."""
    return json.dumps({"op": op, "d": data, "s": sequence, "t": event}, separators=(",", ":"))
