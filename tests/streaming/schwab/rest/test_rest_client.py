import json
from contextlib import asynccontextmanager
from datetime import date

import httpx
import pytest
from aiohttp import web

from streaming.chains.schwab import parse_chain
from streaming.errors import ContractError, RequestError, TransientError
from streaming.schwab.http_errors import RouteRefusedError
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from tests.data_builders import answers
from tests.support.clock import ManualClock
from tests.support.http import open_http_server
from tests.support.schwab_chains import chain_document, contract
from tests.support.schwab_login import TokenEndpoint, auth_client, stored

DAY = date(2025, 5, 20)
TOO_BIG = {"fault": {"faultstring": "Body buffer overflow", "detail": {"errorcode": "protocol.http.TooBigBody"}}}
PREFERENCES = {
    "streamerInfo": [{"streamerSocketUrl": "ws://x/ws", "schwabClientCustomerId": "cu", "schwabClientCorrelId": "co"}]
}


@asynccontextmanager
async def rest_against(tmp_path, answer, *, per_minute=100):
    """A client of a server that hands out tokens and answers everything else by `answer(seen)`."""
    clock, endpoint = ManualClock(), TokenEndpoint()

    def handler(seen):
        return endpoint(seen) if seen.path == "/v1/oauth/token" else answer(seen)

    async with open_http_server(handler) as server, httpx.AsyncClient(trust_env=False) as http:
        auth = auth_client(http, stored(tmp_path, clock), server.url, clock)
        budget = RequestBudget(per_minute, clock)
        rest = SchwabRestClient(http, auth, api_url=server.url, budget=budget, clock=clock)
        rest.server, rest.endpoint, rest.budget, rest.clock = server, endpoint, budget, clock
        yield rest


def asked(rest):
    return [seen for seen in rest.server.seen if seen.path != "/v1/oauth/token"]


async def test_a_chain_is_asked_for_one_expiry(tmp_path):
    body = chain_document(contract("SPXW  250520C05660000"))
    async with rest_against(tmp_path, lambda seen: web.Response(body=body)) as rest:
        assert (await rest.chain("$SPX", DAY)).payload == body
        (seen,) = asked(rest)
    assert seen.path == "/marketdata/v1/chains"
    assert (seen.query["symbol"], seen.query["fromDate"], seen.query["toDate"]) == ("$SPX", "2025-05-20", "2025-05-20")
    assert seen.query["includeUnderlyingQuote"] == "true"
    assert seen.headers["Authorization"] == "Bearer access-0"


async def test_a_401_forces_one_refresh_and_one_repetition(tmp_path):
    def answer(seen):
        fresh = seen.headers["Authorization"] == "Bearer access-1"
        return web.json_response(PREFERENCES) if fresh else web.Response(status=401)

    async with rest_against(tmp_path, answer) as rest:
        assert (await rest.user_preference()).url == "ws://x/ws"
        assert (rest.endpoint.refreshes, len(asked(rest))) == (1, 2)


DENIED = {"errors": [{"status": 401, "title": "Unauthorized", "detail": "Client not authorized"}]}


async def test_a_second_401_is_trouble_of_that_route_and_names_the_products(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.json_response(DENIED, status=401)) as rest:
        with pytest.raises(RouteRefusedError) as caught:
            await rest.expirations("$SPX")
        assert "Market Data" in caught.value.sentence
        assert (rest.endpoint.refreshes, len(asked(rest))) == (1, 2)


async def test_a_route_that_refuses_does_not_cost_a_refresh_with_every_request(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.json_response(DENIED, status=401)) as rest:
        for _ in range(3):
            with pytest.raises(RouteRefusedError):
                await rest.expirations("$SPX")
        assert rest.endpoint.refreshes == 1
        before_s = rest.clock.monotonic()
        with pytest.raises(RouteRefusedError):
            await rest.expirations("$SPX")
        assert rest.clock.monotonic() > before_s + 5


async def test_a_route_that_refuses_leaves_the_others_alone(tmp_path):
    body = chain_document(contract("SPXW  250520C05660000"))

    def answer(seen):
        good = seen.path.endswith("/chains")
        return web.Response(body=body) if good else web.json_response(DENIED, status=403)

    async with rest_against(tmp_path, answer) as rest:
        for _ in range(3):
            with pytest.raises(RouteRefusedError):
                await rest.expirations("$SPX")
        before_s = rest.clock.monotonic()
        assert (await rest.chain("$SPX", DAY)).payload == body
        assert rest.clock.monotonic() == before_s


@pytest.mark.parametrize("page", ["", "<html>401</html>", "Unauthorized"])
async def test_a_page_with_a_401_may_cost_one_refresh_and_no_more(tmp_path, page):
    async with rest_against(tmp_path, lambda seen: web.Response(status=401, text=page)) as rest:
        for _ in range(10):
            with pytest.raises(TransientError) as caught:
                await rest.expirations("$SPX")
            assert not isinstance(caught.value, RouteRefusedError)
        assert rest.endpoint.refreshes == 1


async def test_a_429_waits_as_long_as_schwab_wishes(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.Response(status=429, headers={"Retry-After": "20"})) as rest:
        before_s = rest.clock.monotonic()
        with pytest.raises(TransientError) as caught:
            await rest.chain("$SPX", DAY)
        assert caught.value.retry_after_s == 20.0
        assert rest.clock.monotonic() == before_s
        with pytest.raises(TransientError):
            await rest.chain("$SPX", DAY)
        assert rest.clock.monotonic() >= before_s + 20.0


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_errors_are_transient_and_never_split(tmp_path, status):
    async with rest_against(tmp_path, lambda seen: web.Response(status=status, text="oops")) as rest:
        with pytest.raises(TransientError):
            await rest.chain("$SPX", DAY)
        assert len(asked(rest)) == 1


async def test_a_body_too_big_is_asked_for_in_two_halves(tmp_path):
    def answer(seen):
        side = seen.query["contractType"]
        if side == "ALL":
            return web.json_response(TOO_BIG, status=502)
        return web.Response(body=chain_document(contract(f"SPXW  250520{side[0]}05660000")))

    async with rest_against(tmp_path, answer) as rest:
        chain = parse_chain((await rest.chain("$SPX", DAY)).payload, ticker="SPX", asof=rest.clock.now())
        assert [seen.query["contractType"] for seen in asked(rest)] == ["ALL", "CALL", "PUT"]
    assert sorted(chain.is_call.tolist()) == [False, True]


async def test_a_truncated_chain_is_as_bad_as_a_body_too_big(tmp_path):
    def answer(seen):
        return web.Response(body=chain_document(isChainTruncated=seen.query["contractType"] == "ALL"))

    async with rest_against(tmp_path, answer) as rest:
        await rest.chain("$SPX", DAY)
        assert [seen.query["contractType"] for seen in asked(rest)] == ["ALL", "CALL", "PUT"]


async def test_a_side_that_is_still_too_big_gets_fewer_strikes(tmp_path):
    def answer(seen):
        if int(seen.query.get("strikeCount", "9999")) > 250:
            return web.json_response(TOO_BIG, status=400)
        return web.Response(body=chain_document(isChainTruncated=True))

    async with rest_against(tmp_path, answer) as rest:
        await rest.chain("$SPX", DAY)
        counts = [seen.query.get("strikeCount") for seen in asked(rest)]
    assert counts == [None, None, "500", "250", None, "500", "250"]


async def test_a_window_of_strikes_is_asked_for_and_may_call_itself_truncated(tmp_path):
    body = chain_document(contract("SPXW  250520C05660000"), isChainTruncated=True)
    async with rest_against(tmp_path, lambda seen: web.Response(body=body)) as rest:
        assert (await rest.chain("$SPX", DAY, strikes=40)).payload == body
        (seen,) = asked(rest)
    assert seen.query["strikeCount"] == "40"


async def test_a_window_that_is_too_big_becomes_smaller_never_larger(tmp_path):
    def answer(seen):
        if int(seen.query["strikeCount"]) > 120 or seen.query["contractType"] == "ALL":
            return web.json_response(TOO_BIG, status=502)
        return web.Response(body=chain_document(contract("SPXW  250520C05660000")))

    async with rest_against(tmp_path, answer) as rest:
        await rest.chain("$SPX", DAY, strikes=250)
        counts = [seen.query["strikeCount"] for seen in asked(rest)]
    assert counts == ["250", "250", "120", "250", "120"]


async def test_a_chain_that_never_fits_is_a_contract_error(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.json_response(TOO_BIG, status=502)) as rest:
        with pytest.raises(ContractError, match="too large"):
            await rest.chain("$SPX", DAY)


async def test_expirations_and_quotes_are_read(tmp_path):
    bodies = {
        "/marketdata/v1/expirationchain": answers.expirations("SPY", date(2026, 8, 20)),
        "/marketdata/v1/quotes": answers.share_quote("NVDA"),
    }
    async with rest_against(tmp_path, lambda seen: web.Response(body=bodies[seen.path])) as rest:
        assert (await rest.expirations("SPY"))[0] == date(2026, 8, 20)
        await rest.try_quotes("NVDA")
        assert asked(rest)[-1].query["symbols"] == "NVDA"
        assert await rest.ex_dividends(["NVDA", "SPY"]) == {"NVDA": (date(2026, 6, 5), date(2026, 9, 5))}
        assert dict(asked(rest)[-1].query) == {"symbols": "NVDA,SPY", "fields": "fundamental"}


async def test_an_unknown_symbol_is_the_callers_matter(tmp_path):
    body = {"errors": [{"status": "404", "detail": "Symbol XYZ not found."}]}
    async with rest_against(tmp_path, lambda seen: web.json_response(body, status=404)) as rest:
        with pytest.raises(RequestError, match="XYZ not found"):
            await rest.expirations("XYZ")


async def test_the_last_preferences_help_through_an_outage(tmp_path):
    up = True

    def answer(seen):
        if up:
            return web.json_response(PREFERENCES)
        return web.Response(status=404, text="404 Not Found: Requested route ('x') does not exist.")

    async with rest_against(tmp_path, answer) as rest:
        first = await rest.user_preference()
        up = False
        assert await rest.user_preference() == first


async def test_without_any_preferences_an_outage_is_transient(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.Response(status=404, text="no route")) as rest:
        with pytest.raises(TransientError):
            await rest.user_preference()


async def test_requests_keep_to_the_budget(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.Response(body=chain_document()), per_minute=3) as rest:
        before_s = rest.clock.monotonic()
        for _ in range(4):
            await rest.chain("$SPX", DAY)
        assert rest.clock.monotonic() == before_s + 60.0
        assert rest.budget.used == 1


async def test_a_dead_server_is_transient(tmp_path):
    async with rest_against(tmp_path, lambda seen: web.Response()) as rest:
        rest._api_url = "http://127.0.0.1:9"
        with pytest.raises(TransientError, match="cannot be reached"):
            await rest.chain("$SPX", DAY)


async def test_no_error_holds_a_token(tmp_path):
    echo = json.dumps({"message": "denied"})
    async with rest_against(tmp_path, lambda seen: web.Response(status=400, text=echo)) as rest:
        with pytest.raises(RequestError) as caught:
            await rest.chain("$SPX", DAY)
    assert "access-0" not in caught.value.sentence
