"""The simulator on loopback: one HTTP server with OAuth, REST and the streamer's WebSocket."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime
from random import Random

from aiohttp import web

from streaming.clock import Clock
from streaming.process.loopback import LoopbackPort, loopback_port, only_local_callers
from streaming.sim.control import ControlRoutes
from streaming.sim.rest.rest_routes import OAuthRoutes, RestRoutes
from streaming.sim.sim_server import SimServer
from streaming.sim.stream.book_rows import BookRows
from streaming.sim.stream.codes import Limits
from streaming.sim.stream.numbered_rows import RowSource
from streaming.sim.stream.option_rows import OptionRows
from streaming.sim.stream.stream_routes import StreamRoutes
from streaming.sim.stream.tape_rows import ChartRows, EquityRows, FutureRows
from streaming.sim.world.authority import Authority
from streaming.sim.world.faults import Area, Failure
from streaming.sim.world.market import Market
from streaming.sim.world.shared_state import SharedState

__all__ = ["Failure", "Limits", "SimServer", "open_sim"]
_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MINUTE_S = 60.0
_FIGURES = "X-Gexcord-Figures"
"""The header that names whose figures an answer holds (specs/simulator.md)."""


@asynccontextmanager
async def open_sim(
    market: Market,
    clock: Clock,
    *,
    port: int = 0,
    place: LoopbackPort | None = None,
    client_id: str = "demo",
    client_secret: str = "demo-secret",  # noqa: S107 - the password of a simulation
    callback_url: str | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    requests_per_minute: int | None = None,
    rng: Random | None = None,
    login_clock: Clock | None = None,
) -> AsyncIterator[SimServer]:
    """Serve `market` on a loopback port until the context ends; port 0 takes a free one, a `place` is taken before.

    The market follows `clock`, and so do the tokens' lives unless they have a `login_clock`. With
    `callback_url`, OAuth accepts no other; with `requests_per_minute`, more market-data requests get 429.
    Raises UnavailableError when the port is taken.
    """
    authority = Authority(client_id, client_secret, login_clock or clock, rng or Random(), callback_url=callback_url)
    shared = SharedState(market, clock, authority, customer_id=f"{authority.rng.getrandbits(256):064x}")
    streams = StreamRoutes(shared, _sources(shared), limits)
    async with loopback_port(port, whose="the local Schwab") if place is None else nullcontext(place) as taken:
        server = SimServer(f"http://{taken.address}", f"ws://{taken.address}/ws", shared, streams)
        await taken.serve(_application(server, streams, RateGate(requests_per_minute)))
        try:
            yield server
        finally:
            await server.drop_streams(1001)


def _sources(shared: SharedState) -> dict[str, RowSource]:
    market = shared.market
    return {
        "LEVELONE_EQUITIES": EquityRows(market),
        "LEVELONE_OPTIONS": OptionRows(market),
        "LEVELONE_FUTURES": FutureRows(market),
        "NYSE_BOOK": BookRows(market, "NYSE_BOOK"),
        "NASDAQ_BOOK": BookRows(market, "NASDAQ_BOOK"),
        "OPTIONS_BOOK": BookRows(market, "OPTIONS_BOOK"),
        "CHART_EQUITY": ChartRows(market, "CHART_EQUITY"),
        "CHART_FUTURES": ChartRows(market, "CHART_FUTURES"),
    }


@dataclass(slots=True)
class RateGate:
    """Lets a number of market-data requests through per minute of real time; None for any number."""

    per_minute: int | None
    _seen: deque[float] = field(default_factory=deque)

    def admits(self, now_s: float) -> bool:
        """Whether a request at `now_s` may pass; counts it when it may."""
        while self._seen and self._seen[0] <= now_s - _MINUTE_S:
            self._seen.popleft()
        if self.per_minute is None or len(self._seen) < self.per_minute:
            self._seen.append(now_s)
            return True
        return False


def _application(server: SimServer, streams: StreamRoutes, gate: RateGate) -> web.Application:
    """All rooms mounted, requests counted, faults and limits in front of them; beyond a limit 429 and no body."""
    shared = server.shared

    @web.middleware
    async def gatekeeper(request: web.Request, handler: _Next) -> web.StreamResponse:
        area = _area(request.path)
        shared.counters[request.path] += 1
        failure = shared.faults.take(area, request.path) if area else None
        if failure is not None:
            return web.Response(body=failure.payload, status=failure.status, headers=failure.headers)
        if area == "marketdata" and not gate.admits(asyncio.get_running_loop().time()):
            return web.Response(status=429)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.Response(status=404, text=f"404 Not Found: Requested route ('{request.path}') does not exist.")

    async def name_the_source(request: web.Request, response: web.StreamResponse) -> None:
        """Say on each answer that no broker gave it, so that its figures are called what they are; and our own time."""
        response.headers["Date"] = format_datetime(shared.authority.clock.now().astimezone(UTC), usegmt=True)
        response.headers[_FIGURES] = shared.market.figures_of(request.query.get("symbol", "").upper())

    application = web.Application(middlewares=[only_local_callers, gatekeeper])
    application.on_response_prepare.append(name_the_source)
    application.add_routes(
        [
            *OAuthRoutes(shared).routes(),
            *RestRoutes(shared).routes(),
            *ControlRoutes(server).routes(),
            web.get("/ws", streams.handle),
        ]
    )
    return application


def _area(path: str) -> Area | None:
    if path == "/v1/oauth/token":
        return "token"
    if path.startswith("/trader/"):
        return "trader"
    return "marketdata" if path.startswith("/marketdata/") else None
