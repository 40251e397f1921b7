"""HTTP face of authority and market: the login; preferences, chains, quotes, hours, history behind a bearer token."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from aiohttp import web

from streaming.calendar import new_york
from streaming.errors import RequestError
from streaming.sim.rest.chain_payload import ChainPayloads, TooBigError
from streaming.sim.rest.chain_query import day_of, parse_chain_query, required
from streaming.sim.rest.odd_answers import odd_chain, odd_expirations
from streaming.sim.rest.quote_payload import MARKETS, MAX_SYMBOLS, hours_body, quotes_body
from streaming.sim.world.authority import RefusedError
from streaming.sim.world.faults import Faults
from streaming.sim.world.shared_state import SharedState

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TOO_BIG: Final = {
    "fault": {"faultstring": "Body buffer overflow", "detail": {"errorcode": "protocol.http.TooBigBody"}}
}
_OPEN_INTEREST: Final = re.compile(rb'"openInterest":\d+')


class RestRoutes:
    """Handlers of `/trader/v1` and `/marketdata/v1`."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared
        self._chains = ChainPayloads(shared.market)

    def routes(self) -> Iterable[web.RouteDef]:
        """What to mount."""
        data = "/marketdata/v1"
        return (
            web.get("/trader/v1/userPreference", self._guard(self._preferences)),
            web.get(f"{data}/chains", self._guard(self._chain)),
            web.get(f"{data}/expirationchain", self._guard(self._expirations)),
            web.get(f"{data}/quotes", self._guard(self._quotes)),
            web.get(f"{data}/{{symbol}}/quotes", self._guard(self._quote)),
            web.get(f"{data}/markets", self._guard(self._hours)),
            web.get(f"{data}/markets/{{market}}", self._guard(self._hours)),
            web.get(f"{data}/pricehistory", self._guard(self._history)),
        )

    def _guard(self, handler: Handler) -> Handler:
        """Answer 401 without a valid bearer token, and 400 where a parameter makes no sense."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            if not self._shared.authority.accepts(token):
                return self._error(401, "Unauthorized", "Client not authorized")
            try:
                return await handler(request)
            except RequestError as error:
                return self._error(400, "Bad Request", str(error))

        return guarded

    def _error(self, status: int, title: str, detail: str) -> web.Response:
        item = {"id": self._shared.authority.uuid(), "status": status, "title": title, "detail": detail}
        return _json(msgspec.json.encode({"errors": [item]}), status=status)

    async def _preferences(self, request: web.Request) -> web.StreamResponse:
        correl_id = self._shared.authority.uuid()
        self._shared.correl_ids.add(correl_id)
        body: Any = _preferences(urlsplit(str(request.url)).netloc, self._shared.customer_id, correl_id)
        if self._shared.faults.streamer_as_object:
            body["streamerInfo"] = body["streamerInfo"][0]
        return _json(msgspec.json.encode([body] if self._shared.faults.preferences_as_list else body))

    async def _chain(self, request: web.Request) -> web.StreamResponse:
        query = parse_chain_query(request.query)
        self._shared.sync()
        try:
            for _ in self._chains.prepare(query):
                await asyncio.sleep(0)
            body = self._chains.chain(query)
        except TooBigError:
            return _json(msgspec.json.encode(_TOO_BIG), status=502)
        return _json(_with_faults(body, self._shared.faults))

    async def _expirations(self, request: web.Request) -> web.StreamResponse:
        self._shared.sync()
        body, odd = self._chains.expirations(required(request.query, "symbol").upper()), self._shared.faults.expirations
        return _json(odd_expirations(body, odd) if odd else body)

    async def _quotes(self, request: web.Request) -> web.StreamResponse:
        symbols = [part.strip() for part in required(request.query, "symbols").split(",") if part.strip()]
        return self._quoted(request, symbols)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        return self._quoted(request, [request.match_info["symbol"]])

    def _quoted(self, request: web.Request, symbols: list[str]) -> web.Response:
        if len(symbols) > MAX_SYMBOLS:
            raise RequestError(f"Search combination should not exceed {MAX_SYMBOLS}.")
        fields = frozenset(part for part in request.query.get("fields", "").split(",") if part and part != "all")
        return _json(msgspec.json.encode(quotes_body(self._shared.sync(), symbols, fields)))

    async def _hours(self, request: web.Request) -> web.StreamResponse:
        text = request.match_info.get("market") or required(request.query, "markets")
        markets = tuple(text.split(","))
        if not set(markets) <= set(MARKETS):
            raise RequestError("markets must be equity, option, bond, future or forex.")
        day = day_of(request.query.get("date")) or new_york(self._shared.now()).date()
        return _json(msgspec.json.encode(hours_body(markets, day)))

    async def _history(self, request: web.Request) -> web.StreamResponse:
        symbol = required(request.query, "symbol")
        tape = self._shared.sync().tape(symbol)
        candles = [] if tape is None else self._shared.market.candles(tape.symbol)
        body = {"symbol": symbol, "empty": not candles, "candles": [candle.row() for candle in candles]}
        if tape is not None and request.query.get("needPreviousClose") == "true":
            body |= {"previousClose": tape.close}
        return _json(msgspec.json.encode(body))


def _json(body: bytes, *, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


def _with_faults(body: bytes, faults: Faults) -> bytes:
    """The chain as it comes when something is wrong with it."""
    if faults.truncated:
        body = body.replace(b'"isChainTruncated":false', b'"isChainTruncated":true')
    if faults.delayed:
        body = body.replace(b'"isDelayed":false', b'"isDelayed":true')
    if faults.no_open_interest:
        body = _OPEN_INTEREST.sub(b'"openInterest":0', body)
    return odd_chain(body, faults.chains) if faults.chains else body


def _preferences(host: str, customer_id: str, correl_id: str) -> dict[str, Any]:
    account = {
        "accountNumber": "11221122",
        "primaryAccount": True,
        "type": "BROKERAGE",
        "nickName": "Simulated",
        "displayAcctId": "...122",
        "autoPositionEffect": False,
        "accountColor": "Green",
        "lotSelectionMethod": "FIFO",
    }
    streamer = {
        "streamerSocketUrl": f"ws://{host}/ws",
        "schwabClientCustomerId": customer_id,
        "schwabClientCorrelId": correl_id,
        "schwabClientChannel": "N9",
        "schwabClientFunctionId": "APIAPP",
    }
    offers = [{"level2Permissions": True, "mktDataPermission": "NP"}]
    return {"accounts": [account], "streamerInfo": [streamer], "offers": offers}


class OAuthRoutes:
    """Handlers of the two OAuth endpoints."""

    def __init__(self, shared: SharedState) -> None:
        self._shared = shared

    def routes(self) -> Iterable[web.RouteDef]:
        """What to mount."""
        return (web.get("/v1/oauth/authorize", self._authorize), web.post("/v1/oauth/token", self._token))

    async def _authorize(self, request: web.Request) -> web.StreamResponse:
        authority, query = self._shared.authority, request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != authority.client_id or not redirect_uri:
            return web.json_response({"error": "invalid_client", "error_description": "Unauthorized"}, status=401)
        try:
            code = authority.authorize(redirect_uri)
        except RefusedError as error:
            return web.Response(status=error.status, text=str(error.body))
        answer = {"code": code, "session": authority.uuid()}
        if "state" in query:
            answer["state"] = query["state"]
        joint = "&" if "?" in redirect_uri else "?"
        return web.Response(status=302, headers={"Location": f"{redirect_uri}{joint}{urlencode(answer)}"})

    async def _token(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            body = self._shared.authority.exchange(request.headers.get("Authorization"), form)
        except RefusedError as error:
            return web.json_response(error.body, status=error.status)
        return web.json_response(self._shared.faults.granted(body))
