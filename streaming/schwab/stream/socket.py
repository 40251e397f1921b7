"""The WebSocket to Schwab's streamer: all texts that have arrived at once, the library's exceptions stopped here.

The library shakes hands, answers pings, keeps the connection alive and closes it; only plain text frames, a few
microseconds each there, take a short way past it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

from streaming.addresses import is_loopback
from streaming.errors import ContractError, TransientError
from streaming.process.certificates import trusted
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.wire.splitter import FrameSplitter

_PING_EVERY_S: Final = 20.0
_PING_LIMIT_S: Final = 30.0
MAX_FRAME: Final = 16 * 1024 * 1024
_HELD_LIMIT: Final = 1024 * 1024
_HEAD_LIMIT: Final = 1 << 16
_END_OF_HEAD: Final = b"\r\n\r\n"


class TextConnection(ClientConnection):
    """For `connect(create_connection=TextConnection, max_size=MAX_FRAME, compression=None)`.

    Stops reading from the network while more than a megabyte waits for `receive_texts`.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._texts: list[bytes] = []
        self._fragments: list[bytes] = []
        self._splitter = FrameSplitter(self._texts.append, self._leave_to_library, max_size=MAX_FRAME)
        self._head = b""
        self._held = 0
        self._lost = False
        self._waiter: asyncio.Future[None] | None = None

    def data_received(self, data: bytes) -> None:
        if self.response is None:
            data = self._through_handshake(data)
        self._splitter.feed(data)
        if self._texts:
            self._held += len(data)
            if self._held > _HELD_LIMIT:
                self.transport.pause_reading()
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._lost = True
        self._wake()

    def process_event(self, event: Event) -> None:
        """What the library read itself: a message in fragments is put together and keeps its place."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        self._fragments.append(bytes(event.data))
        if event.fin:
            self._texts.append(b"".join(self._fragments))
            self._fragments.clear()

    async def receive_texts(self) -> list[bytes]:
        """All messages that have arrived, at least one; ConnectionClosed when there will be none."""
        while not self._texts:
            if self._lost:
                await self.recv()  # which knows why it ended, and raises that
            self._waiter = self.loop.create_future()
            await self._waiter
        texts = self._texts.copy()
        self._texts.clear()
        self._held = 0
        self.transport.resume_reading()
        return texts

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _through_handshake(self, data: bytes) -> bytes:
        """Give the library the head of the answer, and return what follows it."""
        self._head += data
        head, border, rest = self._head.partition(_END_OF_HEAD)
        if not border and len(head) < _HEAD_LIMIT:
            return b""
        self._head = b""
        self._leave_to_library(head + border)
        return rest

    def _leave_to_library(self, data: bytes) -> None:
        super().data_received(data)
        if self.protocol.state is not State.OPEN:
            self._splitter.give_up()


class StreamSocket:
    """Text frames in and out; TransientError says why when the connection is gone."""

    def __init__(self, connection: TextConnection) -> None:
        self._connection = connection

    async def receive(self) -> list[bytes]:
        """Every frame that has arrived since the last call, at least one, as bytes, in order."""
        try:
            return await self._connection.receive_texts()
        except ConnectionClosed as error:
            raise TransientError(_close_text(error)) from error

    async def send(self, text: str) -> None:
        """Send one text frame."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise TransientError(_close_text(error)) from error


@asynccontextmanager
async def open_socket(url: str, timing: StreamTiming) -> AsyncIterator[StreamSocket]:
    """Connect, and close politely at the end; TransientError when the streamer cannot be reached.

    ContractError for an address in the clear that is not on this machine: the login would travel over it.
    """
    host = urlsplit(url).hostname or ""
    secure = urlsplit(url).scheme == "wss"
    if not secure and not is_loopback(host):
        raise ContractError(f"Schwab names a streamer at {host[:60]!r} that is not reached by wss://.")
    try:
        connection = await connect(
            url,
            create_connection=TextConnection,
            open_timeout=timing.open_s,
            close_timeout=timing.close_s,
            ping_interval=_PING_EVERY_S,
            ping_timeout=_PING_LIMIT_S,
            max_size=MAX_FRAME,
            compression=None,
            ssl=trusted() if secure else None,
            proxy=None if is_loopback(host) else True,
        )
    except (OSError, WebSocketException, ValueError) as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise TransientError(f"The streamer at {host} cannot be reached: {reason}.") from error
    try:
        yield StreamSocket(cast("TextConnection", connection))  # connect() says only that it is a ClientConnection
    finally:
        await connection.close()


def _close_text(error: ConnectionClosed) -> str:
    frame = error.rcvd or error.sent
    if frame is None:
        return "The streamer's connection broke off without a close frame."
    who = "The streamer" if error.rcvd is not None else "Our side"
    return f"{who} closed the connection with code {frame.code}{': ' + frame.reason[:80] if frame.reason else ''}."
