"""Web servers on loopback, or on the address that a setting names; and who may call them on loopback: programs of this
machine, and their own pages.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from streaming.addresses import is_loopback
from streaming.errors import UnavailableError

LOOPBACK: Final = "127.0.0.1"
_IDLE_S: Final = 3600.0
ANOTHER_PORT: Final = "Choose another port, or 0 for a free one."


class LoopbackPort:
    """A bound port, known before there is an application; `serve` lets one answer on it."""

    def __init__(self, bound: socket.socket, *, host: str, whose: str, remedy: str) -> None:
        self._socket = bound
        self._host = host
        self._whose = whose
        self._remedy = remedy
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self.number = 0
        """The port; 0 until it is bound."""

    @property
    def address(self) -> str:
        """Host and port, as they stand in an URL."""
        return f"[{self._host}]:{self.number}" if ":" in self._host else f"{self._host}:{self.number}"

    def bind(self, port: int) -> None:
        """Take this port, or a free one for 0; UnavailableError when it cannot be had."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self._host, port))
        except OSError as error:
            raise self._unusable(port, error) from error
        self.number = int(self._socket.getsockname()[1])

    async def serve(
        self,
        application: web.Application,
        *,
        tls: ssl.SSLContext | None = None,
        shutdown_s: float = 1.0,
        cancels_handlers: bool = False,
        most_connections: int | None = None,
        idle_s: float = _IDLE_S,
    ) -> None:
        """Begin to answer, until the port is given back; `cancels_handlers` when whoever asked has left.

        Beyond about `most_connections` at once others are closed unheard, so that nobody can use up our files; so is
        whoever asks nothing, or nothing more, for `idle_s`.
        """
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=shutdown_s,
            handler_cancellation=cancels_handlers,
            keepalive_timeout=idle_s,
        )
        await self._runner.setup()
        server = self._runner.server
        assert server is not None  # noqa: S101  # it is there from the setup on
        factory = server if most_connections is None else partial(_one_of, server, most_connections)
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(factory, sock=self._socket, ssl=tls)
        except OSError as error:  # bound by two, and the other one was first to listen
            raise self._unusable(self.number, error) from error

    async def close(self) -> None:
        """Let what is being answered end, and answer no more."""
        if self._listening is not None:
            self._listening.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _unusable(self, port: int, error: OSError) -> UnavailableError:
        reason = error.strerror or type(error).__name__
        return UnavailableError(f"Port {port} of {self._whose} cannot be used: {reason}.", remedy=self._remedy)


def _one_of(server: web.Server, most: int) -> asyncio.BaseProtocol:
    return server() if len(server.connections) < most else _Unheard()


class _Unheard(asyncio.Protocol):
    """A connection too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


@asynccontextmanager
async def loopback_port(
    port: int, *, whose: str, remedy: str = ANOTHER_PORT, host: str = LOOPBACK
) -> AsyncIterator[LoopbackPort]:
    """A port of loopback, 0 for a free one, until the block ends; UnavailableError names `whose` it would have been.

    Another `host`, an IP address, only where an operator asks for it.
    """
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as bound:
        taken = LoopbackPort(bound, host=host, whose=whose, remedy=remedy)
        taken.bind(port)
        try:
            yield taken
        finally:
            await taken.close()


@web.middleware
async def only_local_callers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """403 for what a stranger's web page makes a browser send: by a name of its own (Host), or from its own Origin."""
    origin = request.headers.get("Origin")
    if not names_this_machine(request.host):
        return web.Response(status=403, text="Only addresses of this machine are answered.")
    if origin is not None and origin not in {f"http://{request.host}", f"ws://{request.host}"}:
        return web.Response(status=403, text="Pages from elsewhere are not answered.")
    return await handler(request)


def names_this_machine(host: str) -> bool:
    """Whether a request's Host is an address of loopback, and no name that a stranger's DNS may lead here."""
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
