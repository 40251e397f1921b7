"""Who may call the servers that we run on loopback: programs of this machine, and their own pages in a browser."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from streaming.settings import is_loopback


@web.middleware
async def only_local_callers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """403 for what a stranger's web page makes a browser send: by a name of its own (Host), or from its own Origin."""
    origin = request.headers.get("Origin")
    if not _names_this_machine(request.host):
        return web.Response(status=403, text="Only addresses of this machine are answered.")
    if origin is not None and origin not in {f"http://{request.host}", f"ws://{request.host}"}:
        return web.Response(status=403, text="Pages from elsewhere are not answered.")
    return await handler(request)


def _names_this_machine(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
