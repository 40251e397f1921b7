import asyncio
import socket
import ssl

import aiohttp
import pytest
from yarl import URL

from streaming.errors import RequestError, UnavailableError
from streaming.schwab.login.listener import open_login_listener, server_context


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def visit(url):
    """As a browser whose person has clicked the certificate's warning away."""
    async with aiohttp.ClientSession() as http, http.get(URL(url, encoded=True), ssl=False) as response:
        return response.status, await response.text()


async def test_the_redirect_is_caught_as_it_came(port):
    async with open_login_listener(f"https://127.0.0.1:{port}", state="s1") as listener:
        waiting = asyncio.ensure_future(listener.redirect(timeout_s=5))
        status, page = await visit(f"https://127.0.0.1:{port}/?code=C0.abc%40&session=x&state=s1")
        assert (status, "The login has arrived" in page) == (200, True)
        assert await waiting == f"https://127.0.0.1:{port}/?code=C0.abc%40&session=x&state=s1"


async def test_the_path_of_the_callback_counts(port):
    async with open_login_listener(f"https://127.0.0.1:{port}/schwab/", state="s1") as listener:
        assert (await visit(f"https://127.0.0.1:{port}/?code=1&state=s1"))[0] == 404
        await visit(f"https://127.0.0.1:{port}/schwab/?code=1&state=s1")
        assert "/schwab/?code=1" in await listener.redirect(timeout_s=5)


async def test_another_logins_redirect_and_other_requests_do_not_end_the_waiting(port):
    async with open_login_listener(f"https://127.0.0.1:{port}", state="s1") as listener:
        status, page = await visit(f"https://127.0.0.1:{port}/?code=C0.evil%40&state=s2")
        assert (status, "another login" in page) == (400, True)
        for path in ("/favicon.ico", "/", "/?state=s1"):
            assert (await visit(f"https://127.0.0.1:{port}{path}"))[0] == 404
        with pytest.raises(RequestError, match="No login arrived"):
            await listener.redirect(timeout_s=0.05)


async def test_a_refusal_of_the_person_ends_the_waiting(port):
    async with open_login_listener(f"https://127.0.0.1:{port}", state="s1") as listener:
        await visit(f"https://127.0.0.1:{port}/?error=access_denied&state=s1")
        assert "error=access_denied" in await listener.redirect(timeout_s=5)


async def test_the_port_is_free_again_afterwards(port):
    for _ in range(2):
        async with open_login_listener(f"https://127.0.0.1:{port}", state="s1"):
            pass


@pytest.mark.parametrize("host", ["gex.example", "192.0.2.1"])
async def test_a_callback_elsewhere_cannot_be_listened_at(host):
    with pytest.raises(UnavailableError, match="is not this machine"):
        async with open_login_listener(f"https://{host}:8182", state="s1"):
            pass


async def test_a_taken_port_is_said(port):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(UnavailableError, match=f"Port {port} .* cannot be used"):
            async with open_login_listener(f"https://127.0.0.1:{port}", state="s1"):
                pass


async def test_the_certificate_is_for_this_machine_and_verifies_only_when_it_is_trusted():
    server = server_context()
    assert server.minimum_version >= ssl.TLSVersion.TLSv1_2
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=server)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            await asyncio.open_connection("127.0.0.1", port, ssl=ssl.create_default_context())
        trusting = ssl.create_default_context(
            cadata=await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        )
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="127.0.0.1")
        writer.close()
