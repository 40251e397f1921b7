"""The simulator's HTTP application: all rooms mounted, requests counted, faults and limits in front of them."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from streaming.process.loopback import only_local_callers
from streaming.sim.control_routes import ControlRoutes
from streaming.sim.faults import Area
from streaming.sim.rest.oauth_routes import OAuthRoutes
from streaming.sim.rest.rest_routes import RestRoutes
from streaming.sim.shared_state import SharedState
from streaming.sim.stream.stream_routes import StreamRoutes

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MINUTE_S = 60.0
_FIGURES = "X-Gexcord-Figures"
"""The header that names whose figures an answer holds (specs/simulator.md)."""


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


def build_application(
    shared: SharedState, streams: StreamRoutes, control: ControlRoutes, *, requests_per_minute: int | None
) -> web.Application:
    """The application; `requests_per_minute` limits market data with 429 and no body."""
    gate = RateGate(requests_per_minute)

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

    async def confess(request: web.Request, response: web.StreamResponse) -> None:
        """Say on each answer that no broker gave it, so that a bot calls its figures what they are."""
        response.headers[_FIGURES] = shared.market.figures_of(request.query.get("symbol", "").upper())

    application = web.Application(middlewares=[only_local_callers, gatekeeper])
    application.on_response_prepare.append(confess)
    application.add_routes(
        [
            *OAuthRoutes(shared).routes(),
            *RestRoutes(shared).routes(),
            *control.routes(),
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
