"""REST over HTTP: who asks, how often, what fails on purpose, and Discord's shape for every answer."""

import asyncio
import json
import logging
from collections.abc import Iterable
from typing import Any, Final

from aiohttp import web

from bot.sandbox.rest.calls import Call, HttpReply, RestRoute
from bot.sandbox.rest.faults import RestFaults, Trouble
from bot.sandbox.rest.rate_limits import GLOBAL, RateLimiter, RateVerdict
from bot.sandbox.rest.traffic import RequestRecord, Traffic
from bot.sandbox.rest.uploads import read_body
from bot.sandbox.world.api_errors import TOO_MANY_REQUESTS, ApiError, unauthorized, unknown_route
from bot.sandbox.world.records import Json
from streaming.clock import Clock

log = logging.getLogger(__name__)

API_PATH: Final = "/api/v10"
NOWHERE: Final = "/{unknown}"
VIA: Final = {"Via": "1.1 google"}


class RestApi:
    """Serves a table of routes under `/api/v10`."""

    def __init__(self, token: str, clock: Clock, faults: RestFaults, traffic: Traffic, limiter: RateLimiter) -> None:
        self._token = token
        self._clock = clock
        self._faults = faults
        self._traffic = traffic
        self._limiter = limiter

    def mount(self, app: web.Application, table: Iterable[RestRoute]) -> None:
        """Add the routes; literal paths win over parameters whatever their order in the table."""
        for route in sorted(table, key=lambda route: route.path.count("{")):
            app.router.add_route(route.method, f"{API_PATH}{route.path}", self._handler(route))
        app.router.add_route("*", f"{API_PATH}/{{rest:.*}}", self._nowhere)

    def _handler(self, route: RestRoute) -> Any:
        async def handle(request: web.Request) -> web.Response:
            if self._faults.latency_s:
                await asyncio.sleep(self._faults.latency_s)
            return await self._serve(route, request)

        return handle

    async def _serve(self, route: RestRoute, request: web.Request) -> web.Response:
        try:
            self._authorize(route, request)
            body, uploads = await read_body(request)
        except ApiError as error:
            return self._refuse(route, error, None, {})
        call = Call(dict(request.match_info), dict(request.query), body, uploads)
        trouble = self._faults.take(route.method, route.path, call.params.get("channel_id"))
        if trouble is not None:
            return await self._fail(route, trouble, call, request)
        verdict = self._limit(route, call)
        if verdict is not None and not verdict.allowed:
            return self._slow_down(route, verdict, call)
        headers = {} if verdict is None else verdict.headers(self._clock.now().timestamp())
        return self._answer(route, call, headers)

    def _answer(self, route: RestRoute, call: Call, headers: dict[str, str]) -> web.Response:
        try:
            reply = route.answer(call)
        except ApiError as error:
            return self._refuse(route, error, call.body, headers)
        except Exception:
            log.exception("The local Discord failed on %s %s.", route.method, route.path)
            return self._refuse(route, ApiError(500, 0, "500: Internal Server Error"), call.body, headers)
        return self._respond(route, call.body, reply, headers)

    def _authorize(self, route: RestRoute, request: web.Request) -> None:
        if not route.public and request.headers.get("Authorization") != f"Bot {self._token}":
            raise unauthorized()

    def _limit(self, route: RestRoute, call: Call) -> RateVerdict | None:
        if not route.public:
            everything = self._limiter.take_global()
            if not everything.allowed:
                return everything
        quota = route.quota_for(call)
        if quota is None:
            return None
        return self._limiter.take(quota, call.params[route.major] if route.major else "")

    def _slow_down(self, route: RestRoute, verdict: RateVerdict, call: Call) -> web.Response:
        headers = verdict.headers(self._clock.now().timestamp())
        retry_after_s = float(headers["X-RateLimit-Reset-After"])
        is_global = verdict.quota is GLOBAL
        scope = {"X-RateLimit-Scope": "global" if is_global else "user", "Retry-After": f"{retry_after_s:.3f}"}
        headers = {**scope, **VIA, **({"X-RateLimit-Global": "true"} if is_global else headers)}
        body = {"message": "You are being rate limited.", "retry_after": retry_after_s, "global": is_global}
        return self._respond(route, call.body, HttpReply(body, TOO_MANY_REQUESTS), headers)

    async def _fail(self, route: RestRoute, trouble: Trouble, call: Call, request: web.Request) -> web.Response:
        """The trouble instead of the answer; what takes effect does so at once, whenever it is answered."""
        if trouble.late:
            self._answer(route, call, {})
        if trouble.hang_s:
            await self._faults.hang(trouble.hang_s)
        if trouble.cut and request.transport is not None:
            request.transport.abort()
        self._traffic.note(RequestRecord(route.method, route.path, call.body, trouble.status, trouble.code))
        headers = {**trouble.headers, "Content-Type": trouble.content_type}
        return web.Response(body=trouble.content, status=trouble.status, headers=headers)

    def _refuse(self, route: RestRoute, error: ApiError, body: Any, headers: dict[str, str]) -> web.Response:
        if error.retry_after_s is not None:
            headers = {**headers, **VIA, "Retry-After": f"{error.retry_after_s:.3f}"}
        return self._respond(route, body, HttpReply(error.body, error.status), headers, error.code)

    def _respond(
        self, route: RestRoute, asked: Any, reply: HttpReply, headers: dict[str, str], code: int = 0
    ) -> web.Response:
        self._traffic.note(RequestRecord(route.method, route.path, asked, reply.status, code))
        return json_response(reply.body, reply.status, headers)

    async def _nowhere(self, request: web.Request) -> web.Response:
        error = unknown_route()
        self._traffic.note(RequestRecord(request.method, NOWHERE, None, error.status, error.code))
        return json_response(error.body, error.status)


def json_response(
    body: Json | list[Any] | None, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """An answer whose content type is exactly what discord.py compares with: no charset."""
    if body is None:
        return web.Response(status=status, headers=headers)
    data = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(body=data, status=status, headers={**(headers or {}), "Content-Type": "application/json"})
