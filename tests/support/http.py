"""A loopback HTTP server for tests: one handler, every request remembered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: dict[str, str]


@dataclass(slots=True)
class HttpServer:
    """Where the server listens, and what it was asked."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)


Handler = Callable[[Seen], web.Response | Awaitable[web.Response]]


@asynccontextmanager
async def open_http_server(handler: Handler) -> AsyncIterator[HttpServer]:
    """Serve `handler` on a free loopback port."""
    server = HttpServer()

    async def handle(request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        seen = Seen(request.method, request.path, dict(request.query), form, dict(request.headers))
        server.seen.append(seen)
        answer = handler(seen)
        return answer if isinstance(answer, web.Response) else await answer

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
