"""`http://127.0.0.1:METRICS_PORT/metrics` for Prometheus, on loopback only."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from streaming.errors import UnavailableError
from streaming.telemetry.stream_metrics import StreamFacts

_HOST: Final = "127.0.0.1"


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
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, _HOST, port).start()
        except OSError as error:
            raise UnavailableError(
                f"Port {port} of METRICS_PORT is taken.", remedy="Choose another port, or 0 for none."
            ) from error
        yield f"http://{_HOST}:{port}/metrics"
    finally:
        await runner.cleanup()
