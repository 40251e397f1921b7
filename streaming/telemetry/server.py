"""`http://127.0.0.1:METRICS_PORT/metrics` for Prometheus, on loopback only."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from streaming.process.loopback import loopback_port
from streaming.telemetry.stream_metrics import StreamFacts


@asynccontextmanager
async def serve_metrics(port: int, look: Callable[[], StreamFacts]) -> AsyncIterator[str | None]:
    """Answer scrapes while inside and give the URL; port 0 serves nothing. UnavailableError when the port is taken."""
    if not port:
        yield None
        return
    from streaming.telemetry.prometheus import CONTENT_TYPE, exposition

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=exposition(look()), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.router.add_get("/metrics", answer)
    async with loopback_port(port, whose="METRICS_PORT", remedy="Choose another port, or 0 for none.") as place:
        await place.serve(application)
        yield f"http://{place.address}/metrics"
