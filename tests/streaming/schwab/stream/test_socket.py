import asyncio

import pytest

from streaming.errors import ContractError, TransientError
from streaming.process.certificates import trusted
from streaming.schwab.stream import socket as socket_module
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.socket import open_socket
from tests.support.streamer import open_streamer
from tests.support.waiting import until

TIMING = StreamTiming(open_s=2.0, close_s=0.2)


@pytest.fixture
async def streamer():
    async with open_streamer() as streamer:
        yield streamer


async def test_frames_arrive_as_bytes_and_go_out_as_text(streamer):
    async with open_socket(streamer.url, TIMING) as socket:
        await until(lambda: streamer.live)
        await streamer.send("ünïcode")
        assert await socket.receive() == ["ünïcode".encode()]
        await socket.send('{"requests":[]}')


@pytest.mark.parametrize(("code", "words"), [(1000, "code 1000"), (1001, "code 1001: bye"), (1011, "code 1011")])
async def test_every_close_is_told_with_its_code(streamer, code, words):
    async with open_socket(streamer.url, TIMING) as socket:
        await until(lambda: streamer.live)
        await streamer.close(code, "bye")
        with pytest.raises(TransientError, match=words):
            await socket.receive()
        with pytest.raises(TransientError):
            await socket.send("x")


async def test_a_line_that_breaks_is_told(streamer):
    async with open_socket(streamer.url, TIMING) as socket:
        await until(lambda: streamer.live)
        streamer.cut()
        with pytest.raises(TransientError, match="without a close frame"):
            await socket.receive()


@pytest.mark.parametrize("url", ["ws://127.0.0.1:9/ws", "http://127.0.0.1:9/"])
async def test_an_unreachable_streamer_is_transient(url):
    with pytest.raises(TransientError, match="cannot be reached"):
        async with open_socket(url, TIMING):
            pass


async def test_a_server_that_is_no_streamer_is_transient():
    async def hang_up(_reader, writer):
        writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(TransientError, match="403"):
            async with open_socket(f"ws://127.0.0.1:{port}/", TIMING):
                pass


@pytest.mark.parametrize(
    "url", ["ws://streamer.example/ws", "http://streamer.example/ws", "streamer.example/ws", "nonsense"]
)
async def test_a_login_never_goes_over_an_address_in_the_clear(url):
    with pytest.raises(ContractError, match="not reached by wss"):
        async with open_socket(url, TIMING):
            pytest.fail("nobody may be asked")


@pytest.mark.parametrize(("url", "verified"), [("wss://streamer.example/ws", True), ("ws://127.0.0.1:1/ws", False)])
async def test_a_streamer_elsewhere_is_verified_by_the_certificates_that_all_share(monkeypatch, url, verified):
    asked = {}

    async def refuse(_url, **options):
        asked.update(options)
        raise OSError("not today")

    monkeypatch.setattr(socket_module, "connect", refuse)
    with pytest.raises(TransientError, match="not today"):
        async with open_socket(url, TIMING):
            pass
    assert asked["ssl"] is (trusted() if verified else None)
