"""HTTP face of the market: preferences, chains, quotes, hours, history, all behind a bearer token."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from streaming.calendar import new_york
from streaming.clock import date_of
from streaming.errors import RequestError
from streaming.sim.faults import Faults
from streaming.sim.rest.chain_contract import Side
from streaming.sim.rest.chain_payload import ChainPayloads, TooBigError
from streaming.sim.rest.chain_query import ChainQuery
from streaming.sim.rest.market_hours import MARKETS, hours_body
from streaming.sim.rest.odd_answers import odd_chain, odd_expirations
from streaming.sim.rest.quote_payload import MAX_SYMBOLS, quotes_body
from streaming.sim.shared_state import SharedState

Query = Any  # a multidict, or a plain mapping of text to text
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_TOO_BIG: Final = {
    "fault": {"faultstring": "Body buffer overflow", "detail": {"errorcode": "protocol.http.TooBigBody"}}
}
_SIDES: Final[dict[str, tuple[Side, ...]]] = {"ALL": ("CALL", "PUT"), "CALL": ("CALL",), "PUT": ("PUT",)}
_OPEN_INTEREST: Final = re.compile(rb'"openInterest":\d+')
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class RestRoutes:
    """Handlers of `/trader/v1` and `/marketdata/v1`."""

    def __init__(self, shared: SharedState) -> None:
        self._hall = shared
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
            if not self._hall.authority.accepts(token):
                return self._error(401, "Unauthorized", "Client not authorized")
            try:
                return await handler(request)
            except RequestError as error:
                return self._error(400, "Bad Request", str(error))

        return guarded

    def _error(self, status: int, title: str, detail: str) -> web.Response:
        item = {"id": self._hall.authority.uuid(), "status": status, "title": title, "detail": detail}
        return _json(msgspec.json.encode({"errors": [item]}), status=status)

    async def _preferences(self, request: web.Request) -> web.StreamResponse:
        correl_id = self._hall.authority.uuid()
        self._hall.correl_ids.add(correl_id)
        body: Any = _preferences(urlsplit(str(request.url)).netloc, self._hall.customer_id, correl_id)
        if self._hall.faults.streamer_as_object:
            body["streamerInfo"] = body["streamerInfo"][0]
        return _json(msgspec.json.encode([body] if self._hall.faults.preferences_as_list else body))

    async def _chain(self, request: web.Request) -> web.StreamResponse:
        query = parse_chain_query(request.query)
        self._hall.sync()
        try:
            for _ in self._chains.prepare(query):
                await asyncio.sleep(0)
            body = self._chains.chain(query)
        except TooBigError:
            return _json(msgspec.json.encode(_TOO_BIG), status=502)
        return _json(_with_faults(body, self._hall.faults))

    async def _expirations(self, request: web.Request) -> web.StreamResponse:
        self._hall.sync()
        body, odd = self._chains.expirations(_required(request.query, "symbol").upper()), self._hall.faults.expirations
        return _json(odd_expirations(body, odd) if odd else body)

    async def _quotes(self, request: web.Request) -> web.StreamResponse:
        symbols = [part.strip() for part in _required(request.query, "symbols").split(",") if part.strip()]
        return self._quoted(request, symbols)

    async def _quote(self, request: web.Request) -> web.StreamResponse:
        return self._quoted(request, [request.match_info["symbol"]])

    def _quoted(self, request: web.Request, symbols: list[str]) -> web.Response:
        if len(symbols) > MAX_SYMBOLS:
            raise RequestError(f"Search combination should not exceed {MAX_SYMBOLS}.")
        fields = frozenset(part for part in request.query.get("fields", "").split(",") if part and part != "all")
        return _json(msgspec.json.encode(quotes_body(self._hall.sync(), symbols, fields)))

    async def _hours(self, request: web.Request) -> web.StreamResponse:
        text = request.match_info.get("market") or _required(request.query, "markets")
        markets = tuple(text.split(","))
        if not set(markets) <= set(MARKETS):
            raise RequestError("markets must be equity, option, bond, future or forex.")
        day = _day(request.query.get("date")) or new_york(self._hall.now()).date()
        return _json(msgspec.json.encode(hours_body(markets, day)))

    async def _history(self, request: web.Request) -> web.StreamResponse:
        symbol = _required(request.query, "symbol")
        tape = self._hall.sync().tape(symbol)
        candles = [] if tape is None else self._hall.market.candles(tape.symbol)
        body = {"symbol": symbol, "empty": not candles, "candles": [candle.row() for candle in candles]}
        if tape is not None and request.query.get("needPreviousClose") == "true":
            body |= {"previousClose": tape.close}
        return _json(msgspec.json.encode(body))


def parse_chain_query(query: Query) -> ChainQuery:
    """The chain query of URL parameters; RequestError names the first one that is wrong."""
    return ChainQuery(
        symbol=_required(query, "symbol").upper(),
        sides=_choice(query, "contractType", _SIDES, "ALL"),
        strike_count=_number(query.get("strikeCount"), "strikeCount", int),
        from_date=_day(query.get("fromDate")),
        to_date=_day(query.get("toDate")),
        strike=_number(query.get("strike"), "strike", float),
        range=query.get("range", "ALL").upper(),
        month=_choice(query, "expMonth", {"ALL": None} | {name: i + 1 for i, name in enumerate(_MONTHS)}, "ALL"),
        include_underlying=query.get("includeUnderlyingQuote") == "true",
        standard=query.get("optionType", "ALL").upper() != "NS",
    )


def _required(query: Query, name: str) -> str:
    value = query.get(name)
    if not value:
        raise RequestError(f"{name} is required.")
    return str(value)


def _choice(query: Query, name: str, choices: dict[str, Any], default: str) -> Any:
    value = query.get(name, default).upper()
    if value not in choices:
        raise RequestError(f"{name} must be one of {', '.join(choices)}.")
    return choices[value]


def _number(text: str | None, name: str, kind: type[int] | type[float]) -> Any:
    try:
        return None if text is None else kind(text)
    except ValueError as error:
        raise RequestError(f"{name} must be a number.") from error


def _day(text: str | None) -> date | None:
    found = date_of(text)
    if text is not None and found is None:
        raise RequestError("Dates must be written as YYYY-MM-DD.")
    return found


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
