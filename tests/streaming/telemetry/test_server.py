import asyncio

import httpx
import pytest

from streaming.bus.redis_connection import make_client
from streaming.bus.server.embedded import free_port
from streaming.errors import UnavailableError
from streaming.settings import StreamSettings
from streaming.status import StreamStatus
from streaming.telemetry import stream_metrics
from streaming.telemetry.prometheus import one
from streaming.telemetry.server import HealthReport, Watched, redis_health, serve_telemetry
from tests.support.stream_facts import facts

WELL = HealthReport(live=True, parts={"redis": "ok"})


def settings(port, **values):
    return StreamSettings(_env_file=None, metrics_port=port, **values)


def watched(status=None, report=WELL):
    async def tables():
        return [one("stream", stream_metrics.METRICS, facts(status[-1] if status else StreamStatus(state="live")))]

    async def health():
        return report

    return Watched(tables, health, live=lambda: report.live)


async def test_a_scrape_gets_the_figures_of_this_moment_on_loopback():
    status = [StreamStatus(state="live")]
    async with serve_telemetry(settings(free_port()), watched(status)) as url, httpx.AsyncClient() as http:
        assert url.startswith("http://127.0.0.1:")
        answer = await http.get(url)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert 'state="live"' in answer.text
        status.append(StreamStatus(state="backoff"))
        assert 'state="backoff"' in (await http.get(url)).text


async def test_port_zero_serves_nothing():
    async with serve_telemetry(settings(0), watched()) as url:
        assert url is None


async def test_another_address_is_answered_on_when_a_setting_names_it():
    chosen = settings(free_port(), metrics_address="127.0.0.2")
    async with serve_telemetry(chosen, watched()) as url, httpx.AsyncClient() as http:
        assert url == f"http://127.0.0.2:{chosen.metrics_port}/metrics"
        assert (await http.get(url)).status_code == 200
        with pytest.raises(httpx.ConnectError):
            await http.get(url.replace("127.0.0.2", "127.0.0.1"))


@pytest.mark.parametrize(
    ("report", "ready", "live"),
    [
        (WELL, 200, 200),
        (HealthReport(live=True, parts={"redis": "does not answer"}), 503, 200),
        (HealthReport(live=False, parts={"redis": "ok"}), 503, 503),
    ],
)
async def test_health_is_told_by_the_status_and_what_is_amiss_by_its_name(report, ready, live):
    async with serve_telemetry(settings(free_port()), watched(report=report)) as url, httpx.AsyncClient() as http:
        answer = await http.get(url.replace("/metrics", "/health"))
        assert answer.status_code == ready
        assert answer.json() == {"ready": ready == 200, "live": report.live, **report.parts}
        assert (await http.get(url.replace("/metrics", "/health/live"))).status_code == live


async def test_a_taken_port_names_the_setting():
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(UnavailableError, match="METRICS_PORT"):
            async with serve_telemetry(settings(port), watched()):
                pass


async def test_redis_that_is_away_is_said_to_be():
    redis = make_client("redis://127.0.0.1:1/0")
    assert await redis_health(redis) == "does not answer"
    await redis.aclose()
