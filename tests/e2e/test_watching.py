"""Machines that watch the programs: health, metrics, systemd and logs in JSON, of whole processes."""

import asyncio
import json
import socket
from pathlib import Path

import httpx

from streaming.bus.server.embedded import free_port
from tests.e2e.conftest import Home
from tests.e2e.test_accounts import open_world
from tests.support.api import KNOWN, TOKEN
from tests.support.redis_server import plain_redis


async def asked(url: str) -> httpx.Response | None:
    """The answer, or None while nobody listens."""
    async with httpx.AsyncClient() as http:
        try:
            return await http.get(url)
        except httpx.ConnectError:
            return None


async def test_the_bot_is_watched_by_one_port_and_by_systemd_and_logs_in_json(home: Home, tmp_path: Path):
    port, api_port, notify = free_port(), free_port(), str(tmp_path / "notify")
    folder = tmp_path / "redis-server"
    folder.mkdir()
    with plain_redis(folder) as (url, process), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(notify)
        systemd.setblocking(False)
        async with open_world(home, url) as world:
            api = {"API_PORT": str(api_port), "API_TOKEN": TOKEN}
            program = world.start(METRICS_PORT=str(port), NOTIFY_SOCKET=notify, LOG_FORMAT="json", **api)
            at = f"http://127.0.0.1:{port}"
            async with asyncio.timeout(30):
                while (answer := await asked(f"{at}/health")) is None or answer.status_code != 200:
                    await asyncio.sleep(0.1)
                while "\ngexcord_feed_boards 1.0\n" not in (text := (await asked(f"{at}/metrics")).text):
                    await asyncio.sleep(0.1)
            assert "\ngexcord_discord_gateway_up 1.0\n" in text
            heard = set()
            async with asyncio.timeout(10):
                while heard != {b"READY=1", b"WATCHDOG=1"}:
                    heard.add(await asyncio.get_running_loop().sock_recv(systemd, 100))
            async with httpx.AsyncClient(headers=KNOWN) as http:
                followed = (await http.get(f"http://127.0.0.1:{api_port}/v1/symbols")).json()["symbols"]
            assert [one["symbol"] for one in followed] == ["SPX"]
            assert 'gexcord_api_requests_total{route="symbols"} 1.0' in (await asked(f"{at}/metrics")).text
            process.kill()
            process.wait()
            answer = await asked(f"{at}/health")
            assert (answer.status_code, answer.json()["redis"]) == (503, "does not answer")
            assert (await asked(f"{at}/health/live")).status_code == 200
            assert await asyncio.to_thread(program.stop) == 0
            lines = [json.loads(line) for line in program.lines if line.startswith("{")]
            assert {"ready"} <= {line["message"] for line in lines if line["logger"] == "streaming.process.heartbeat"}
