"""One WebSocket of the gateway: frames out, in order and bounded."""

import asyncio
import contextlib
import logging
import zlib
from typing import Final

from aiohttp import web

log = logging.getLogger(__name__)

_QUEUE: Final = 1_000


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
