"""What one gateway client says and what it hears back."""

import asyncio
import json
from collections import deque
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

from aiohttp import WSMsgType, web

from bot.sandbox.gateway.gateway_session import ONLY_SHARD, GatewayConnection, GatewaySession, Op, Shard, frame

if TYPE_CHECKING:
    from bot.sandbox.gateway.local_gateway import LocalGateway

COMMANDS_PER_MINUTE: Final = 120
_MINUTE_S: Final = 60.0
_ACK_AFTER_S: Final = 0.03
_PATIENCE: Final = 1.5


class Close(IntEnum):
    """Close codes by Discord's numbering."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    BROKEN_PAYLOAD = 4002
    NOT_AUTHENTICATED = 4003
    BAD_TOKEN = 4004
    ALREADY_AUTHENTICATED = 4005
    TOO_MANY = 4008
    TIMED_OUT = 4009
    BAD_SHARD = 4010


class Dialogue:
    """What one client says, answered in turn."""

    def __init__(self, gateway: "LocalGateway", connection: GatewayConnection, socket: web.WebSocketResponse) -> None:
        self._gateway = gateway
        self._connection = connection
        self._socket = socket
        self._session: GatewaySession | None = None
        self._spoken_s: deque[float] = deque(maxlen=COMMANDS_PER_MINUTE)

    async def run(self) -> None:
        """Say hello and listen; a client silent for one and a half heartbeats is closed with 4009."""
        heartbeat_s = self._gateway.heartbeat_s
        self._connection.send(frame(Op.HELLO, {"heartbeat_interval": int(heartbeat_s * 1000), "_trace": []}))
        while not self._socket.closed:
            try:
                message = await self._socket.receive(timeout=heartbeat_s * _PATIENCE)
            except TimeoutError:
                await self._socket.close(code=Close.TIMED_OUT)
                return
            if message.type is not WSMsgType.TEXT:
                return
            self._hear(message.data)

    def _hear(self, text: str) -> None:
        try:
            payload = json.loads(text)
            op, data = payload["op"], payload.get("d")
        except (ValueError, TypeError, KeyError):
            op, data = None, None
        if op is None or (op != Op.HEARTBEAT and not isinstance(data, dict)):
            self._connection.close(Close.BROKEN_PAYLOAD)
            return
        if self._speaks_too_much():
            self._connection.close(Close.TOO_MANY)
            return
        self._answer(op, data)

    def _answer(self, op: object, data: Any) -> None:
        match op:
            case Op.HEARTBEAT:
                # A client notes when it sent a heartbeat only after sending it: an answer within the same
                # millisecond would be measured against the heartbeat before.
                asyncio.get_running_loop().call_later(_ACK_AFTER_S, self._acknowledge)
            case Op.IDENTIFY:
                self._identify(data)
            case Op.RESUME:
                self._resume(data)
            case Op.PRESENCE | Op.VOICE | Op.MEMBERS:
                self._ask(op, data)
            case _:
                self._connection.close(Close.UNKNOWN_OPCODE)

    def _acknowledge(self) -> None:
        if not self._socket.closed:
            self._connection.send(frame(Op.HEARTBEAT_ACK, None))

    def _ask(self, op: object, data: dict[str, Any]) -> None:
        if self._session is None:
            self._connection.close(Close.NOT_AUTHENTICATED)
        elif op == Op.MEMBERS:
            self._session.dispatch("GUILD_MEMBERS_CHUNK", self._gateway.members_chunk(data))

    def _identify(self, data: dict[str, Any]) -> None:
        if self._session is not None:
            self._connection.close(Close.ALREADY_AUTHENTICATED)
        elif not self._gateway.accepts(data.get("token")):
            self._connection.close(Close.BAD_TOKEN)
        elif (shard := _shard(data.get("shard", ONLY_SHARD))) is None:
            self._connection.close(Close.BAD_SHARD)
        else:
            self._session = self._gateway.identify(int(data.get("intents", 0)), self._connection, shard)

    def _resume(self, data: dict[str, Any]) -> None:
        if not self._gateway.accepts(data.get("token")):
            self._connection.close(Close.BAD_TOKEN)
            return
        self._session = self._gateway.resume(data.get("session_id"), data.get("seq"), self._connection)
        if self._session is None:
            self._connection.send(frame(Op.INVALID_SESSION, data=False))

    def _speaks_too_much(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        full = len(self._spoken_s) == COMMANDS_PER_MINUTE and now_s - self._spoken_s[0] < _MINUTE_S
        self._spoken_s.append(now_s)
        return full


def _shard(said: Any) -> Shard | None:
    """What a client says that it is of, or None for what there cannot be."""
    match said:
        case [int(number), int(total)] if 0 <= number < total:
            return Shard(number, total)
    return None
