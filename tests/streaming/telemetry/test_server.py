import asyncio

import httpx
import pytest

from streaming.bus.server.embedded import free_port
from streaming.errors import UnavailableError
from streaming.status import StreamStatus
from streaming.telemetry.server import serve_metrics
from tests.support.stream_facts import facts


async def test_a_scrape_gets_the_figures_of_this_moment_on_loopback():
    status = StreamStatus(state="live")
    async with serve_metrics(free_port(), lambda: facts(status)) as url, httpx.AsyncClient() as http:
        assert url.startswith("http://127.0.0.1:")
        answer = await http.get(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert 'state="live"' in answer.text
        status = StreamStatus(state="backoff")
        assert 'state="backoff"' in (await http.get(url)).text


async def test_port_zero_serves_nothing():
    async with serve_metrics(0, lambda: facts(StreamStatus(state="live"))) as url:
        assert url is None


async def test_a_taken_port_names_the_setting():
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError, match="METRICS_PORT"):
            async with serve_metrics(port, lambda: facts(StreamStatus(state="live"))):
                pass
