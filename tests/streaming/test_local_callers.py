"""streaming/local_callers.py, on the local Discord and the local Schwab: a stranger's page gets nothing."""

import random
from contextlib import asynccontextmanager

import httpx
import pytest

from bot.sandbox.server import open_sandbox
from streaming.clock import SystemClock
from streaming.sim.market import Market
from streaming.sim.server import open_sim

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
