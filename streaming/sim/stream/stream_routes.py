"""The streamer's WebSocket: sessions on sockets, one data frame a second per service, faults included."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import WSMsgType, web

from streaming.sim.stream.codes import SLOWNESS, Limits, ServerCode
from streaming.sim.stream.numbered_rows import RowSource
from streaming.sim.stream.odd_frames import distorted, in_pieces
from streaming.sim.stream.stream_session import ServerReply, ServerSession
from streaming.sim.world.shared_state import SharedState

_UNREAD: Final = 65_536
"""Bytes that may wait for a client, besides what its and our kernel hold."""
_UNBOUNDED: Final = 1 << 30
_GLANCE_S: Final = 0.02


@dataclass(slots=True, eq=False)
class ClientSocket:
    """One client's socket and session."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    session: ServerSession
    shared: SharedState
    limits: Limits
    on_login: Callable[["ClientSocket"], Awaitable[None]]
    sent_at: float = 0.0
    without_keys_since: float = 0.0
    busy_until: float = 0.0
    cut_off: bool = False

    async def send(self, frame: bytes) -> None:
        """Send one text frame, unless sockets are black holes now or this one is gone.

        A client that leaves too much unread for too long is cut off.
        """
        if self.shared.faults.black_hole or self.socket.closed or self.cut_off:
            return
        if not await self._is_read():
            self._cut_off()
            return
        self.sent_at = asyncio.get_running_loop().time()
        try:
            await self._write(frame)
        except ConnectionError:
            self.shared.counters["frames to closed sockets"] += 1

    async def _is_read(self) -> bool:
        """Wait until the client has read most of what was sent; False when it does not in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.limits.slow_s
        while self.transport is not None and self.transport.get_write_buffer_size() > _UNREAD:
            if loop.time() >= until or self.cut_off:
                return False
            await asyncio.sleep(_GLANCE_S)
        return True

    async def _write(self, frame: bytes) -> None:
        if self.shared.faults.fragment and self.transport is not None:
            self.transport.write(in_pieces(frame, self.shared.faults.fragment))
        else:
            await self.socket.send_frame(frame, WSMsgType.TEXT)

    def _cut_off(self) -> None:
        """Say why behind all that is unread, and end the connection when that is read or `slow_s` later."""
        if self.cut_off:
            return
        self.cut_off = True
        self.shared.counters["slow readers"] += 1
        if self.transport is not None:
            self.transport.write(in_pieces(self.session.notify(ServerCode.STOP_STREAMING, SLOWNESS)))
            self.transport.close()

    async def close(self, code: int | None = 1000) -> None:
        """Close with a code; None tears the connection down without one."""
        if code is None:
            if self.transport is not None:
                self.transport.abort()
        elif not self.socket.closed:
            await self.socket.close(code=code)

    async def evict(self, code: ServerCode, text: str | None = None) -> None:
        """Tell the reason in a notify frame, then close."""
        await self.tell(self.session.notify(code, text))
        await self.close()

    async def read(self) -> None:
        """Answer commands until the socket closes."""
        async for message in self.socket:
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                await self._answer(message.data)
            elif message.type is WSMsgType.PING and not self.shared.faults.black_hole:
                await self.socket.pong(message.data)

    async def _answer(self, text: str | bytes) -> None:
        now = asyncio.get_running_loop().time()
        self.session.busy = now < self.busy_until
        for reply in self.session.receive(text):
            if self.limits.ack_s and not self.session.busy:
                self.busy_until = now + self.limits.ack_s
            await self._finish(reply)
            if reply.close:
                return

    async def _finish(self, reply: ServerReply) -> None:
        await self.tell(reply.frame)
        if reply.close:
            await self.close()
        elif reply.login:
            self.shared.counters["logins"] += 1
            await self.on_login(self)
        else:
            await self._send_service(reply.service, first_images=True)

    async def tell(self, frame: bytes) -> None:
        """Send a frame of our own making, with the oddities in force."""
        await self.send(distorted(frame, self.shared.faults.odd))

    async def pace(self) -> None:
        """Send frames, heartbeats and the last warning at their times."""
        loop = asyncio.get_running_loop()
        self.sent_at = self.without_keys_since = due = loop.time()
        while not self.socket.closed:
            if self.cut_off:
                await asyncio.sleep(self.limits.slow_s)
                await self.close(None)
                return
            due = max(due + self.limits.frame_s, loop.time())
            await asyncio.sleep(due - loop.time())
            if self.session.ids is None:
                continue
            self.shared.sync()
            await self.send_data()
            await self._keep_alive(loop.time())

    async def send_data(self) -> None:
        """One frame per service that has something to tell; the loop may breathe between services."""
        for service in tuple(self.session.subscriptions):
            await self._send_service(service)
            await asyncio.sleep(0)

    async def _send_service(self, service: str, *, first_images: bool = False) -> None:
        frame = self.session.frame(service, first_images=first_images)
        if frame is not None:
            self.shared.counters[service] += 1
            await self.tell(frame)

    async def _keep_alive(self, now: float) -> None:
        if self.session.key_count:
            self.without_keys_since = now
        elif now - self.without_keys_since >= self.limits.idle_s:
            await self.evict(ServerCode.STOP_STREAMING)
            return
        if now - self.sent_at >= self.limits.heartbeat_s:
            await self.tell(self.session.heartbeat())


@dataclass(slots=True, eq=False)
class StreamRoutes:
    """Accepts streamer sockets and keeps one logged-in session."""

    shared: SharedState
    sources: Mapping[str, RowSource]
    limits: Limits
    connections: set[ClientSocket] = field(default_factory=set)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One connection, from handshake to close."""
        socket = web.WebSocketResponse(autoping=False, compress=True, timeout=0.5)
        await socket.prepare(request)
        if request.transport is not None:  # `Connection.send` watches the buffer by itself
            request.transport.set_write_buffer_limits(high=_UNBOUNDED)
        connection = ClientSocket(socket, request.transport, self._session(), self.shared, self.limits, self._take_over)
        self.connections.add(connection)
        self.shared.counters["sockets"] += 1
        try:
            await self._serve(connection)
        finally:
            self.connections.discard(connection)
        return socket

    async def _serve(self, connection: ClientSocket) -> None:
        async with asyncio.TaskGroup() as group:
            pacer = group.create_task(connection.pace(), name="sim-stream-pacer")
            try:
                await connection.read()
            finally:
                pacer.cancel()

    def _session(self) -> ServerSession:
        return ServerSession(
            sources=self.sources,
            admits=self._admits,
            now_ms=self.shared.now_ms,
            limits=self.limits,
            edition=lambda: self.shared.market.edition,
            holds_back=self.shared.holds_back,
            faults=self.shared.faults,
        )

    async def _take_over(self, newest: ClientSocket) -> None:
        """A user has one stream: the newest login ends the older ones with code 12."""
        for other in tuple(self.connections):
            if other is not newest and other.session.ids is not None:
                await other.evict(ServerCode.CLOSE_CONNECTION)

    def _admits(self, token: str, customer_id: str, correl_id: str) -> bool:
        if self.shared.faults.refused_logins > 0:
            self.shared.faults.refused_logins -= 1
            return False
        known = customer_id == self.shared.customer_id and correl_id in self.shared.correl_ids
        return known and self.shared.authority.accepts(token)
