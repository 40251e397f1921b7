"""One port for machines that watch: `/metrics` for Prometheus, `/health` and `/health/live` for what restarts us."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from redis.asyncio import Redis

from streaming import __version__
from streaming.bus.metrics_store import Metric
from streaming.bus.redis_connection import answering
from streaming.errors import GexcordError
from streaming.process.heartbeat import Heartbeat
from streaming.settings import StreamSettings

if TYPE_CHECKING:
    from streaming.telemetry.prometheus import MetricTable

_PING_S: Final = 2.0
_UNWELL: Final = 503


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How a process is; `parts` has "ok" or what is amiss by name, and all of them must be ok for it to be ready."""

    live: bool
    parts: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether it does its work."""
        return self.live and all(said == "ok" for said in self.parts.values())


@dataclass(frozen=True, slots=True)
class Watched:
    """What a process tells of itself."""

    tables: Callable[[], Awaitable[Sequence["MetricTable"]]]
    health: Callable[[], Awaitable[HealthReport]]
    live: Callable[[], bool]


class ProcessFacts(NamedTuple):
    """What each of our processes tells of itself, whatever it does."""

    loop_lag_ms: float
    version: str = __version__


_METRICS: Final[tuple[Metric[ProcessFacts], ...]] = (
    Metric(None, "info", lambda it: it.version, "Which version runs.", labels=("version",)),
    Metric(None, "loop_lag_milliseconds", lambda it: it.loop_lag_ms, "Worst lateness of the event loop in a minute."),
)


def process_table(heartbeat: Heartbeat) -> "MetricTable":
    """The facts of this process as a table."""
    from streaming.telemetry.prometheus import one

    return one("process", _METRICS, ProcessFacts(heartbeat.worst_lag_ms))


async def redis_health(redis: Redis) -> str:
    """`ok`, or that it does not answer."""
    try:
        async with asyncio.timeout(_PING_S), answering("asking how Redis is"):
            await redis.ping()
    except (GexcordError, TimeoutError):
        return "does not answer"
    return "ok"


@asynccontextmanager
async def serve_telemetry(settings: StreamSettings, watched: Watched) -> AsyncIterator[str | None]:
    """Answer on METRICS_ADDRESS while inside and give the URL; port 0 serves nothing.

    UnavailableError when the port or the address cannot be had.
    """
    if not settings.metrics_port:
        yield None
        return
    from aiohttp import web

    from streaming.process.loopback import loopback_port
    from streaming.telemetry.prometheus import CONTENT_TYPE, exposition

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(body=exposition(await watched.tables()), headers={"Content-Type": CONTENT_TYPE})

    async def ready(_request: web.Request) -> web.Response:
        report = await watched.health()
        told = {"ready": report.ready, "live": report.live, **report.parts}
        return web.json_response(told, status=web.HTTPOk.status_code if report.ready else _UNWELL)

    async def live(_request: web.Request) -> web.Response:
        alive = watched.live()
        return web.json_response({"live": alive}, status=web.HTTPOk.status_code if alive else _UNWELL)

    application = web.Application()
    for path, answer in (("/metrics", metrics), ("/health", ready), ("/health/live", live)):
        application.router.add_get(path, answer)
    whose, remedy = "METRICS_PORT", "Choose another port or METRICS_ADDRESS, or 0 for none."
    async with loopback_port(settings.metrics_port, whose=whose, remedy=remedy, host=settings.metrics_address) as place:
        await place.serve(application)
        yield f"http://{place.address}/metrics"
