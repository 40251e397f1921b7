"""A web application on a loopback port that is known before the application is."""

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from streaming.errors import UnavailableError
from streaming.local_callers import only_local_callers

LOOPBACK: Final = "127.0.0.1"
SHUTDOWN_S: Final = 2.0


class LoopbackSite:
    """A bound socket and the application that will answer on it."""

    def __init__(self, bound: socket.socket, client_max_size: int) -> None:
        self._socket = bound
        self._runner: web.AppRunner | None = None
        self.app = web.Application(client_max_size=client_max_size, middlewares=[only_local_callers])
        self.origin = f"http://{LOOPBACK}:{bound.getsockname()[1]}"

    async def start(self, *, on_shutdown: Callable[[], None]) -> None:
        """Begin to answer; `on_shutdown` is called once, before open connections are awaited."""

        async def end(_app: web.Application) -> None:
            on_shutdown()

        self.app.on_shutdown.append(end)
        self._runner = web.AppRunner(self.app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()


@asynccontextmanager
async def listen_on_loopback(port: int, *, client_max_size: int) -> AsyncIterator[LoopbackSite]:
    """Bind a loopback port, 0 for a free one; raises UnavailableError when it is taken."""
    with socket.socket() as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((LOOPBACK, port))
        except OSError as error:
            raise UnavailableError(
                f"Port {port} on {LOOPBACK} cannot be used by the local Discord ({error.strerror}).",
                remedy="Choose another port, or 0 for a free one.",
            ) from error
        site = LoopbackSite(bound, client_max_size)
        try:
            yield site
        finally:
            await site.stop()
