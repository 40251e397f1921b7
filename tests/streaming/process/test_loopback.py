"""streaming/process/loopback.py on the local Discord and the local Schwab: taken ports, and a stranger's page."""

import asyncio
import random
from contextlib import asynccontextmanager, suppress

import httpx
import pytest
from aiohttp import web

from bot.sandbox.local_discord import open_sandbox
from streaming.clock import SystemClock
from streaming.errors import UnavailableError
from streaming.process.loopback import loopback_port
from streaming.sim.local_schwab import open_sim
from streaming.sim.world.market import Market

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@asynccontextmanager
async def local_discord():
    async with open_sandbox() as sandbox:
        yield sandbox.page_url.rstrip("/"), "/api/page/state", "/gateway/"


@asynccontextmanager
async def local_schwab():
    clock = SystemClock()
    market = Market.generate(start_at=clock.now(), seed=1, always_open=True)
    async with open_sim(market, clock, rng=random.Random(1)) as sim:
        yield sim.url, "/marketdata/v1/quotes?symbols=SPY", "/ws"


@pytest.mark.parametrize("server", [local_discord, local_schwab])
async def test_a_strangers_page_or_name_is_refused_by(server):
    async with server() as (url, path, socket_path), httpx.AsyncClient(base_url=url) as http:
        port = httpx.URL(url).port
        for headers in (
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {"Origin": f"http://127.0.0.1:{port + 1}"},
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Host": "[bad"},
        ):
            assert (await http.get(path, headers=headers)).status_code == 403, headers
            assert (await http.post(path, headers=headers)).status_code == 403, headers
            assert (await http.get(socket_path, headers=UPGRADE | headers)).status_code == 403, headers


@pytest.mark.parametrize("server", [local_discord, local_schwab])
async def test_programs_and_its_own_page_are_answered_by(server):
    async with server() as (url, path, _), httpx.AsyncClient(base_url=url) as http:
        port = httpx.URL(url).port
        for headers in ({}, {"Origin": url}, {"Host": "localhost:1"}, {"Host": f"[::1]:{port}"}):
            assert (await http.get(path, headers=headers)).status_code != 403, headers


async def hello(_request):
    return web.Response(text="hello")


async def test_a_free_port_is_known_before_it_answers_and_is_free_again_afterwards():
    application = web.Application()
    application.router.add_get("/", hello)
    async with loopback_port(0, whose="a test") as place, httpx.AsyncClient() as http:
        assert place.address == f"127.0.0.1:{place.number}"
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://{place.address}/")
        await place.serve(application)
        assert (await http.get(f"http://{place.address}/")).text == "hello"
    async with loopback_port(place.number, whose="a test") as again:
        assert again.number == place.number


async def test_whoever_opens_more_connections_than_there_may_be_is_not_heard():
    application = web.Application()
    application.router.add_get("/", hello)
    async with loopback_port(0, whose="a test") as place:
        await place.serve(application, most_connections=2)
        silent = [await asyncio.open_connection("127.0.0.1", place.number) for _ in range(2)]
        async with httpx.AsyncClient(base_url=f"http://{place.address}") as http, asyncio.timeout(5):
            with pytest.raises(httpx.TransportError):
                await http.get("/")
            silent[0][1].close()
            await silent[0][1].wait_closed()
            while True:
                with suppress(httpx.TransportError):
                    assert (await http.get("/")).text == "hello"
                    break
        silent[1][1].close()


async def test_a_taken_port_is_one_sentence_that_names_whose_it_would_have_been():
    async with loopback_port(0, whose="a test") as place:
        await place.serve(web.Application())
        with pytest.raises(UnavailableError) as caught:
            async with loopback_port(place.number, whose="another", remedy="Go away."):
                pass
    assert str(caught.value) == f"Port {place.number} of another cannot be used: Address already in use."
    assert caught.value.remedy == "Go away."


async def test_of_two_who_bound_a_port_the_second_to_listen_hears_the_same():
    async with loopback_port(0, whose="a test") as place, loopback_port(place.number, whose="another") as second:
        await place.serve(web.Application())
        with pytest.raises(UnavailableError, match="of another cannot be used"):
            await second.serve(web.Application())
