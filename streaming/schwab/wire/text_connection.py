"""A WebSocket connection of `websockets` that gives all texts that have arrived at once, for a few waits a second.

The library shakes hands, answers pings, keeps the connection alive and closes it; only plain text frames, a few
microseconds each there, take a short way past it.
"""

import asyncio
from typing import Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import Event, State

from streaming.schwab.wire.splitter import FrameSplitter

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
