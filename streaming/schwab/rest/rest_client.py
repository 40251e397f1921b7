"""`SchwabRestClient`: chains, expiries and where the streamer is, within the request budget."""

import logging
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from http import HTTPStatus
from typing import Final

import httpx

from streaming.clock import Clock
from streaming.errors import ContractError, TransientError
from streaming.schwab.http_errors import error_code, is_schwabs_own, retry_after_s, status_error, transport_error
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.origin import SCHWAB, source_of
from streaming.schwab.rest.bodies import (
    ChainDocument,
    is_truncated,
    join_sides,
    parse_ex_dividends,
    parse_expirations,
    parse_preferences,
    require_quotes,
)
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.route_trouble import Route, RouteTroubles
from streaming.schwab.wire.frames import StreamerInfo

_LOG: Final = logging.getLogger(__name__)
_TOO_BIG: Final = "protocol.http.TooBigBody"
_STRIKE_COUNTS: Final = (500, 250, 120, 60)
_SIDES: Final = ("CALL", "PUT")
_DEFAULT_PAUSE_S: Final = 2.0
_YOUNG_S: Final = 60.0
"""A token that was renewed for a 401 so shortly ago is not renewed for the next one."""
_PAGE_S: Final = 300.0
"""How often a 401 that is no word of Schwab's may cost a renewal."""


class SchwabRestClient:
    """Schwab's REST interface, as far as market data needs it.

    Every call raises TransientError for what passes by itself (network, 429, 5xx, a page), RouteRefusedError when a
    route refuses us although the login is good, OperatorError when a person must act, RequestError for what does not
    exist and ContractError for an answer that cannot be read. A 401 forces one refresh and one repetition. Each route
    has its own trouble: while chains, expirations or quotes are refused for long, their calls wait.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        auth: SchwabAuthClient,
        *,
        api_url: str,
        budget: RequestBudget,
        clock: Clock,
        routes: RouteTroubles | None = None,
    ) -> None:
        self._http = http
        self._auth = auth
        self._api_url = api_url
        self._budget = budget
        self._clock = clock
        self._routes = routes or RouteTroubles(clock, random.Random())
        self._renewed: tuple[str, float] = ("", -_PAGE_S)
        self._last_preferences: StreamerInfo | None = None
        self.source = SCHWAB
        """Who gave the newest answer: Schwab, or a local stand-in that says so (`origin.source_of`)."""

    async def user_preference(self) -> StreamerInfo:
        """Where to stream and as whom; the last known answer while the route is gone (specs/schwab-wire.md §1.4)."""
        try:
            body = await self._get(Route.STREAMER, {}, "the user preferences")
        except TransientError:
            if self._last_preferences is None:
                raise
            _LOG.warning("Schwab's user preferences cannot be read; the last known ones are used.")
            return self._last_preferences
        self._last_preferences = replace(parse_preferences(body), source=self.source)
        return self._last_preferences

    async def expirations(self, symbol: str) -> list[date]:
        """All listed expiries of an underlying (`$SPX`, `SPY`), nearest first."""
        body = await self._get(Route.EXPIRATIONS, {"symbol": symbol}, f"the expirations of {symbol}")
        return parse_expirations(body)

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> ChainDocument:
        """The chain of one expiry as one JSON document, of at most `strikes` on either side of the money unless 0.

        An answer too large for Schwab's gateway is asked for again in two halves, calls and puts, and
        those, if need be, with fewer strikes around the money.
        """
        try:
            payload = await self._chain(symbol, expiry, _window(strikes), cut=strikes > 0)
            return ChainDocument(payload, strikes)
        except _TooBigError:
            calls, puts = [await self._side(symbol, expiry, side, strikes) for side in _SIDES]
            narrowest = min(filter(None, (calls.strikes, puts.strikes)), default=0)
            return ChainDocument(join_sides(calls.payload, puts.payload), narrowest)

    async def ex_dividends(self, symbols: Sequence[str]) -> Mapping[str, Sequence[date]]:
        """Ex-dividend dates of shares and ETFs, past and to come, as far as their quotes name them."""
        asked = {"symbols": ",".join(symbols), "fields": "fundamental"}
        return parse_ex_dividends(await self._get(Route.QUOTES, asked, "ex-dividend dates"))

    async def try_quotes(self, symbol: str) -> None:
        """Ask for a quote that nobody needs, to learn whether market data is given to us."""
        require_quotes(await self._get(Route.QUOTES, {"symbols": symbol, "fields": "quote"}, "quotes"))

    async def _side(self, symbol: str, expiry: date, side: str, strikes: int) -> ChainDocument:
        try:
            only = {"contractType": side} | _window(strikes)
            return ChainDocument(await self._chain(symbol, expiry, only, cut=strikes > 0), strikes)
        except _TooBigError:
            _LOG.warning("The %s chain of %s is too large; strikes far from the money are left out.", symbol, expiry)
        for fewer in (count for count in _STRIKE_COUNTS if not 0 < strikes <= count):
            try:
                only = {"contractType": side} | _window(fewer)
                return ChainDocument(await self._chain(symbol, expiry, only, cut=True), fewer)
            except _TooBigError:
                continue
        raise ContractError(f"Schwab calls even {_STRIKE_COUNTS[-1]} strikes of {symbol} {expiry} too large.")

    async def _chain(self, symbol: str, expiry: date, more: Mapping[str, str], *, cut: bool) -> bytes:
        """One request; with `cut` an answer that says it is truncated is good enough."""
        parameters = {
            "symbol": symbol,
            "contractType": "ALL",
            "strategy": "SINGLE",
            "includeUnderlyingQuote": "true",
            "fromDate": expiry.isoformat(),
            "toDate": expiry.isoformat(),
            **more,
        }
        body = await self._get(Route.CHAINS, parameters, f"the {symbol} chain of {expiry}")
        if not cut and is_truncated(body):
            raise _TooBigError
        return body

    async def _get(self, route: Route, parameters: Mapping[str, str], what: str) -> bytes:
        async with self._routes.turn(route):
            return await self._ask(route.path, parameters, what)

    async def _ask(self, path: str, parameters: Mapping[str, str], what: str) -> bytes:
        token = await self._auth.access_token()
        response = await self._request(path, parameters, token, what)
        if response.status_code == HTTPStatus.UNAUTHORIZED and self._may_renew(token, response):
            token = await self._auth.access_token(rejected=token)
            self._renewed = token, self._clock.monotonic()
            response = await self._request(path, parameters, token, what)
        if response.status_code == HTTPStatus.OK:
            self.source = source_of(response.headers)
            return response.content
        if error_code(response.content) == _TOO_BIG:
            raise _TooBigError
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            await self._budget.pause(retry_after_s(response, self._clock) or _DEFAULT_PAUSE_S)
        raise status_error(response, what, self._clock)

    def _may_renew(self, token: str, response: httpx.Response) -> bool:
        """Whether a 401 may be the token's fault; a route that refuses must not cost a refresh with every request."""
        renewed, at_s = self._renewed
        age_s = self._clock.monotonic() - at_s
        if not is_schwabs_own(response):
            return age_s >= _PAGE_S
        return token != renewed or age_s >= _YOUNG_S

    async def _request(self, path: str, parameters: Mapping[str, str], token: str, what: str) -> httpx.Response:
        await self._budget.take()
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        try:
            return await self._http.get(f"{self._api_url}{path}", params=dict(parameters), headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise transport_error(error, f"Schwab, asked for {what},") from error


def _window(strikes: int) -> dict[str, str]:
    return {"strikeCount": str(strikes)} if strikes else {}


class _TooBigError(TransientError):
    """The gateway's buffer was too small for the answer; for chains that means: ask for less."""

    def __init__(self) -> None:
        super().__init__("An answer was too large for Schwab's gateway.")
