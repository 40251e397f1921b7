"""The HTTP API on a port of its own: who is let in, what is said when it is not an answer, and the streams."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import msgspec
from aiohttp import web

from streaming.addresses import is_loopback
from streaming.api.admission import MOST_STREAMS, Admission, ApiCounters, NotAdmitted
from streaming.api.answers import ErrorAnswer
from streaming.api.live_events import OPENING, tell_events
from streaming.api.routes import (
    EVENTS,
    EVENTS_ROUTE,
    JSON,
    ROUTES,
    ApiPath,
    Desk,
    NothingThereError,
    OfEvents,
    Question,
    levels_payload,
    understood,
)
from streaming.bus.codec import encode_snapshot
from streaming.clock import Clock
from streaming.errors import GexcordError, RequestError
from streaming.model import GexSnapshot
from streaming.process.loopback import loopback_port, names_this_machine
from streaming.settings import StreamSettings
from streaming.symbols import parse_ticker

_LOG: Final = logging.getLogger(__name__)
DESCRIPTION: Final = "/v1/openapi.json"
"""The one path that needs no token."""
WHOSE: Final = "API_PORT"
ANOTHER: Final = "Choose another port or API_ADDRESS, or 0 for none."
NAME: Final = "Gexcord"
"""What the server calls itself."""
_KEY: Final = "key"
"""The token's name in a query, as in GEXBot's older API; a browser's event stream can send no header."""
_END_WITHIN_S: Final = 0.1
_MOST_CONNECTIONS: Final = 128
_IDLE_S: Final = 30.0
_LATER_S: Final = 1
_ALWAYS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Server": NAME}
_EXPOSED: Final = {"Access-Control-Expose-Headers": "ETag, Retry-After"}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "Authorization, If-None-Match",
    "Access-Control-Max-Age": "7200",
}
_HTTP_WORDS: Final = {
    HTTPStatus.NOT_FOUND: "There is nothing at this path. /v1/openapi.json lists those that there are.",
    HTTPStatus.METHOD_NOT_ALLOWED: "Only GET and HEAD are answered.",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_CODES: Final = {
    HTTPStatus.BAD_REQUEST: "bad_request",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.TOO_MANY_REQUESTS: "too_many_requests",
    HTTPStatus.SERVICE_UNAVAILABLE: "unavailable",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
}


class _TooManyStreamsError(RequestError):
    """Answered with 429."""


_STATUS_OF: Final = (
    (NothingThereError, HTTPStatus.NOT_FOUND),
    (_TooManyStreamsError, HTTPStatus.TOO_MANY_REQUESTS),
    (RequestError, HTTPStatus.BAD_REQUEST),
    (GexcordError, HTTPStatus.SERVICE_UNAVAILABLE),
)
"""The first that fits."""
_FOREIGN: Final = "Only addresses of this machine are answered."
_UNWELCOME: Final = "Pages of that origin are not answered. API_ORIGINS names those that are."
_BUG: Final = "That is a bug of Gexcord's; its log has more."


@asynccontextmanager
async def serve(settings: StreamSettings, token: str, desk: Desk) -> AsyncIterator[tuple[Admission, str]]:
    """Answer on API_ADDRESS while inside; gives what counts, and the URL.

    UnavailableError when the port or the address cannot be had.
    """
    admission = Admission(token, per_minute=settings.api_requests_per_minute)
    gate = _Gate(admission, desk.clock, origins=settings.api_origins, local=is_loopback(settings.api_address))
    application = web.Application(middlewares=[gate.pass_through], client_max_size=1)
    application.on_response_prepare.append(gate.stamp)
    application.router.add_get(DESCRIPTION, _describe)
    for route in ROUTES:
        answer = _answerer(route, desk, admission.counters)
        for path in (route.path, *route.also):
            application.router.add_get(path, answer, allow_head=route.respond is not None)
    async with loopback_port(settings.api_port, whose=WHOSE, remedy=ANOTHER, host=settings.api_address) as place:
        await place.serve(
            application,
            shutdown_s=_END_WITHIN_S,
            cancels_handlers=True,
            most_connections=_MOST_CONNECTIONS,
            idle_s=_IDLE_S,
        )
        yield admission, f"http://{place.address}"


async def _describe(_request: web.Request) -> web.Response:
    from streaming.api.openapi import description

    return web.Response(body=description(), content_type=JSON)


def _answerer(route: ApiPath, desk: Desk, counters: ApiCounters) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        query = {name: value for name, value in request.query.items() if name != _KEY}
        asked = understood(route, dict(request.match_info), query)
        if isinstance(asked, OfEvents):
            return await _stream(request, desk, asked, counters)
        found = await _reply(request, route, desk, asked)
        counters.requests[route.name] += 1
        return found

    return answer


async def _reply(request: web.Request, route: ApiPath, desk: Desk, asked: Question) -> web.Response:
    assert route.respond is not None  # noqa: S101  # only a stream has none
    reply = await route.respond(desk, asked)
    headers = {} if reply.tag is None else {"ETag": f'W/"{reply.tag}"'}
    if headers and headers["ETag"] in request.headers.get("If-None-Match", ""):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    charset = None if reply.media == JSON else "utf-8"
    return web.Response(body=reply.body, content_type=reply.media, charset=charset, headers=headers)


async def _stream(request: web.Request, desk: Desk, asked: OfEvents, counters: ApiCounters) -> web.StreamResponse:
    ticker = parse_ticker(asked.symbol).name
    if counters.streams >= MOST_STREAMS:
        raise _TooManyStreamsError(f"{MOST_STREAMS} event streams are open already.")

    def tell(snapshot: GexSnapshot) -> bytes:
        return encode_snapshot(snapshot) if asked.kind == "snapshot" else levels_payload(desk, asked, snapshot)

    async def send(chunk: bytes) -> None:
        await response.write(chunk)
        counters.events += 1

    counters.streams += 1
    try:
        async with desk.reader.listen({ticker}.__contains__) as snapshots:
            first = await desk.reader.latest(ticker)
            if first is not None:
                tell(first)  # what cannot be told is refused before the stream begins
            response = web.StreamResponse(
                headers={"Content-Type": f"{EVENTS}; charset=utf-8", "X-Accel-Buffering": "no"}
            )
            await response.prepare(request)
            counters.requests[EVENTS_ROUTE] += 1  # now: most end by the client's leaving, which cancels this
            await response.write(OPENING)
            await _until_it_ends(tell_events(snapshots, first, kind=asked.kind, tell=tell, send=send))
            return response
    finally:
        counters.streams -= 1


async def _until_it_ends(telling: Awaitable[None]) -> None:
    """However a stream ends, nothing else can be answered on its line; the client connects again."""
    try:
        await telling
    except (TimeoutError, ConnectionError, GexcordError) as error:
        _LOG.debug("a stream of events ends: %s", type(error).__name__)
    except Exception:  # noqa: BLE001  # logged, and of one client's stream
        _LOG.exception("a stream of events met a bug")


class _Gate:
    """Who is let in, and what everybody else is told."""

    def __init__(self, admission: Admission, clock: Clock, *, origins: Sequence[str], local: bool) -> None:
        self._admission = admission
        self._clock = clock
        self._origins = frozenset(origins)
        self._local = local
        self._costs = {path: route.cost for route in ROUTES for path in (route.path, *route.also)}

    @web.middleware
    async def pass_through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The answer, or a refusal in the one shape that refusals have."""
        refusal = self._stranger(request) or self._admitted(request)
        if refusal is None and request.method == "OPTIONS":
            return web.Response(status=HTTPStatus.NO_CONTENT, headers=_PREFLIGHT)
        if refusal is None:
            try:
                return await handler(request)
            except (web.HTTPException, GexcordError) as error:
                refusal = _refusal(error)
            except Exception:  # noqa: BLE001  # one request's bug is its own, and is logged
                _LOG.exception("a request to the API met a bug")
                refusal = _refusal_by(HTTPStatus.INTERNAL_SERVER_ERROR, _BUG)
        self._admission.counters.refusals[refusal.code] += 1
        return _said(refusal)

    async def stamp(self, request: web.Request, response: web.StreamResponse) -> None:
        """What every answer says besides its body."""
        response.headers.update(_ALWAYS)
        origin = request.headers.get("Origin")
        if origin is not None and self._welcomes(origin, request.host):
            response.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin", **_EXPOSED})

    def _stranger(self, request: web.Request) -> NotAdmitted | None:
        """What a stranger's web page makes a browser send: by a name of its own (Host), or from its own Origin."""
        if self._local and not names_this_machine(request.host):
            return _refusal_by(HTTPStatus.FORBIDDEN, _FOREIGN)
        origin = request.headers.get("Origin")
        if origin is not None and not self._welcomes(origin, request.host):
            return _refusal_by(HTTPStatus.FORBIDDEN, _UNWELCOME)
        return None

    def _welcomes(self, origin: str, host: str) -> bool:
        return not self._origins.isdisjoint({origin, "*"}) or origin == f"http://{host}"

    def _admitted(self, request: web.Request) -> NotAdmitted | None:
        resource = request.match_info.route.resource
        path = "" if resource is None else resource.canonical
        return self._admission.judge(
            _token(request),
            request.remote or "",
            self._costs.get(path, 1),
            now_s=self._clock.monotonic(),
            open_to_all=request.method == "OPTIONS" or path == DESCRIPTION,
        )


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.query.get(_KEY)


def _refusal(error: web.HTTPException | GexcordError) -> NotAdmitted:
    if isinstance(error, web.HTTPException):
        status = HTTPStatus(error.status)
        return _refusal_by(status, _HTTP_WORDS.get(status, error.reason))
    return _refusal_by(next(status for kind, status in _STATUS_OF if isinstance(error, kind)), error.sentence)


def _refusal_by(status: HTTPStatus, sentence: str) -> NotAdmitted:
    later_s = _LATER_S if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    return NotAdmitted(status, _CODES.get(status, "refused"), sentence, later_s)


def _said(refusal: NotAdmitted) -> web.Response:
    headers = {} if refusal.retry_after_s is None else {"Retry-After": str(refusal.retry_after_s)}
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    body = msgspec.json.encode(ErrorAnswer(error=refusal.sentence, code=refusal.code))
    return web.Response(status=refusal.status, body=body, content_type=JSON, headers=headers)
