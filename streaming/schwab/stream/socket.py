"""The WebSocket to Schwab's streamer, with the library's exceptions stopped here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, cast
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from streaming.errors import ContractError, TransientError
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.wire.text_connection import MAX_FRAME, TextConnection
from streaming.setting_values import is_loopback

_PING_EVERY_S: Final = 20.0
_PING_LIMIT_S: Final = 30.0


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
    if urlsplit(url).scheme != "wss" and not is_loopback(host):
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
