import asyncio
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.utils import accept_key

from streaming.schwab.stream.socket import MAX_FRAME, TextConnection
from tests.support.waiting import until


def frame(opcode, payload, *, fin=True):
    return Frame(opcode, payload, fin=fin).serialize(mask=False)


def text(payload):
    return frame(Opcode.TEXT, payload)


class Server:
    """Writes exactly the bytes a test wants, in the pieces it wants."""

    def __init__(self, greeting, piece=1 << 20, status="101 Switching Protocols"):
        self.greeting, self.piece, self.status = greeting, piece, status
        self.heard = b""
        self.writer = None
        self.written = 0

    async def handle(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line[19:].strip() for line in head.decode().split("\r\n") if line.startswith("Sec-WebSocket-Key: "))
        answer = (
            f"HTTP/1.1 {self.status}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        ).encode() + self.greeting
        self.writer = writer
        try:
            for at in range(0, len(answer), self.piece):
                writer.write(answer[at : at + self.piece])
                await writer.drain()
                self.written += self.piece
                await asyncio.sleep(0)
            while not self.heard.startswith(b"\x88") and (data := await reader.read(1000)):
                self.heard += data
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def connected(server, **options):
    async with await asyncio.start_server(server.handle, "127.0.0.1", 0) as listener:
        port = listener.sockets[0].getsockname()[1]
        connection = await connect(
            f"ws://127.0.0.1:{port}/",
            create_connection=TextConnection,
            max_size=MAX_FRAME,
            compression=None,
            close_timeout=0.2,
            **options,
        )
        try:
            yield connection
        finally:
            await connection.close()
            server.writer.close()


async def collect(connection, count):
    texts = []
    async with asyncio.timeout(5):
        while len(texts) < count:
            texts += await connection.receive_texts()
    return texts


@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_nothing_is_lost_between_the_handshake_and_the_first_frames(piece):
    async with connected(Server(text(b"1") + text(b"2" * 200) + text(b"3"), piece)) as connection:
        assert await collect(connection, 3) == [b"1", b"2" * 200, b"3"]


async def test_what_arrived_together_is_given_together():
    async with connected(Server(text(b"1") + text(b"2"))) as connection:
        await until(lambda: connection.response is not None)
        assert await connection.receive_texts() == [b"1", b"2"]


@pytest.mark.parametrize("piece", [1, 100_000])
async def test_a_message_in_fragments_keeps_its_place(piece):
    parts = frame(Opcode.TEXT, b"a", fin=False) + frame(Opcode.PING, b"!") + frame(Opcode.CONT, b"b")
    server = Server(text(b"1") + parts + text(b"2"), piece)
    async with connected(server) as connection:
        assert await collect(connection, 3) == [b"1", b"ab", b"2"]
        await until(lambda: server.heard[:1] == b"\x8a")  # the pong


async def test_what_came_before_a_close_is_given_first_and_what_came_after_never():
    server = Server(text(b"1") + frame(Opcode.CLOSE, b"\x03\xe9bye") + text(b"2"))
    async with connected(server) as connection:
        assert await collect(connection, 1) == [b"1"]
        with pytest.raises(ConnectionClosed) as told:
            await asyncio.wait_for(collect(connection, 1), 5)
        assert (told.value.rcvd.code, told.value.rcvd.reason) == (1001, "bye")


async def test_a_frame_that_is_too_long_ends_the_connection_with_1009():
    server = Server(b"\x81\x7f" + (MAX_FRAME + 1).to_bytes(8, "big"))
    async with connected(server) as connection:
        await until(lambda: connection.protocol.close_sent is not None)
        assert connection.protocol.close_sent.code == 1009


async def test_a_ping_of_ours_is_acknowledged():
    server = Server(b"")
    async with connected(server) as connection:
        pong = await connection.ping(b"here")
        await until(lambda: server.heard)
        server.writer.write(frame(Opcode.PONG, b"here"))
        assert await asyncio.wait_for(pong, 5) >= 0.0


async def test_reading_stops_while_nobody_takes_and_goes_on_after():
    message = text(b"x" * 1000)
    server = Server(message * 30_000, piece=100_000)
    async with connected(server) as connection:
        await asyncio.sleep(0.3)
        held = server.written
        assert held < 15_000_000
        await asyncio.sleep(0.1)
        assert server.written == held
        assert len(await collect(connection, 30_000)) == 30_000


async def test_a_refused_handshake_is_told_as_the_library_does():
    server = Server(b"no", status="403 Forbidden\r\nContent-Length: 2")
    with pytest.raises(InvalidStatus, match="403"):
        async with connected(server):
            pass
