"""The simulator over the wire, with plain clients."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from streaming.clock import ShiftedClock
from streaming.errors import UnavailableError
from streaming.sim.local_schwab import Limits, open_sim
from streaming.sim.world.faults import FIREWALL_PAGE, Failure
from streaming.sim.world.market import Market
from tests.data_builders import answers
from tests.support.sim_stream import stream

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)
CALLBACK = "https://127.0.0.1:8182"
CHAINS = "/marketdata/v1/chains"
TODAY = {"symbol": "$SPX", "fromDate": "2026-08-20", "toDate": "2026-08-20"}


# OAuth


async def test_a_browser_login_ends_in_tokens_that_open_the_api(sim):
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        query = {"client_id": "demo", "redirect_uri": CALLBACK, "state": "abc", "response_type": "code"}
        answer = await client.get("/v1/oauth/authorize", params=query)
        location = answer.headers["Location"]
        assert answer.status_code == 302
        assert location.startswith(f"{CALLBACK}?code=C0.")
        assert "%40&session=" in location
        params = parse_qs(urlsplit(location).query)
        assert params["state"] == ["abc"]
        form = {"grant_type": "authorization_code", "code": params["code"][0], "redirect_uri": CALLBACK}
        token = (await client.post("/v1/oauth/token", data=form, auth=("demo", "demo-secret"))).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert (await client.get("/trader/v1/userPreference", headers=headers)).status_code == 200


async def test_an_answer_is_dated_by_the_clock_of_the_market(sim):
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        answer = await client.get("/v1/oauth/authorize", params={"client_id": "demo"})
    behind = sim.authority.clock.now() - parsedate_to_datetime(answer.headers["Date"])
    assert timedelta(0) <= behind < timedelta(seconds=5)


async def test_a_bad_code_answers_with_the_badly_escaped_inner_error(sim):
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        form = {"grant_type": "authorization_code", "code": "x%40", "redirect_uri": CALLBACK}
        answer = await client.post("/v1/oauth/token", data=form, auth=("demo", "demo-secret"))
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_token_type"
    assert '400 Bad Request: "{"error_description"' in answer.json()["error_description"]


async def test_a_wrong_secret_is_an_invalid_client(sim):
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        answer = await client.post("/v1/oauth/token", data={}, auth=("demo", "wrong"))
        foreign = await client.get("/v1/oauth/authorize", params={"client_id": "x", "redirect_uri": CALLBACK})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert foreign.status_code == 401


async def test_an_issued_token_has_the_shape_of_a_token_file(sim):
    token = sim.issue_token()
    assert set(token) == {"creation_timestamp", "token"}
    assert token["token"]["expires_at"] == token["creation_timestamp"] + 1800


# REST


async def test_without_a_token_the_client_is_not_authorized(sim, http):
    sim.authority.expire_access()
    answer = await http.get(CHAINS, params=TODAY)
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["detail"] == "Client not authorized"


async def test_preferences_are_an_object_as_in_production(sim, http):
    real, ours = json.loads(answers.preferences()), (await http.get("/trader/v1/userPreference")).json()
    for block in ("accounts", "streamerInfo", "offers"):
        assert set(ours[block][0]) == set(real[block][0])
    assert ours["streamerInfo"][0]["streamerSocketUrl"] == sim.stream_url
    sim.faults.preferences_as_list = True
    assert isinstance((await http.get("/trader/v1/userPreference")).json(), list)


async def test_each_connection_gets_its_own_correlation_id(http):
    ids = [(await http.get("/trader/v1/userPreference")).json()["streamerInfo"][0] for _ in range(2)]
    assert ids[0]["schwabClientCorrelId"] != ids[1]["schwabClientCorrelId"]
    assert ids[0]["schwabClientCustomerId"] == ids[1]["schwabClientCustomerId"]


async def test_a_chain_of_one_expiry_comes_and_a_whole_one_is_too_big(http):
    one, whole = await http.get(CHAINS, params=TODAY), await http.get(CHAINS, params={"symbol": "$SPX"})
    assert one.json()["numberOfContracts"] > 200
    assert whole.status_code == 502
    assert whole.json()["fault"]["detail"]["errorcode"] == "protocol.http.TooBigBody"


async def test_the_chain_follows_the_clock(sim, http):
    before = sim.market.now
    await asyncio.sleep(0.3)
    await http.get(CHAINS, params=TODAY)
    assert sim.market.now > before


async def test_a_frozen_market_stands_still(sim, http):
    sim.faults.frozen = True
    before = sim.market.now
    await asyncio.sleep(0.3)
    await http.get(CHAINS, params=TODAY)
    assert sim.market.now == before


async def test_a_truncated_chain_says_so(sim, http):
    sim.faults.truncated = True
    assert (await http.get(CHAINS, params=TODAY)).json()["isChainTruncated"] is True


@pytest.mark.parametrize(
    ("path", "params", "part"),
    [
        (CHAINS, {}, "symbol"),
        (CHAINS, {"symbol": "$SPX", "fromDate": "soon"}, "YYYY-MM-DD"),
        (CHAINS, {"symbol": "$SPX", "strikeCount": "many"}, "strikeCount"),
        (CHAINS, {"symbol": "$SPX", "contractType": "BOTH"}, "contractType"),
        ("/marketdata/v1/quotes", {}, "symbols"),
        ("/marketdata/v1/quotes", {"symbols": ",".join(f"A{i}" for i in range(501))}, "500"),
        ("/marketdata/v1/markets", {"markets": "moon"}, "markets"),
    ],
)
async def test_senseless_parameters_are_bad_requests(http, path, params, part):
    answer = await http.get(path, params=params)
    assert answer.status_code == 400
    assert part in answer.json()["errors"][0]["detail"]


async def test_quotes_hours_expirations_and_history_answer(http):
    quotes = (await http.get("/marketdata/v1/quotes", params={"symbols": "SPY,$SPX,/ES,XYZ"})).json()
    assert set(quotes) == {"SPY", "$SPX", "/ES", "errors"}
    assert set((await http.get("/marketdata/v1/%2FES/quotes")).json()) == {"/ES"}
    hours = (await http.get("/marketdata/v1/markets", params={"markets": "equity,option"})).json()
    assert hours["equity"]["EQ"]["isOpen"] is True
    assert "option" in (await http.get("/marketdata/v1/markets/option", params={"date": "2026-08-22"})).json()
    dates = (await http.get("/marketdata/v1/expirationchain", params={"symbol": "$SPX"})).json()["expirationList"]
    assert dates[0]["expirationDate"] == "2026-08-20"
    history = (await http.get("/marketdata/v1/pricehistory", params={"symbol": "SPY"})).json()
    assert (history["symbol"], history["empty"], len(history["candles"])) == ("SPY", False, 60)


async def test_an_unknown_route_answers_in_plain_text(http):
    answer = await http.get("/trader/v1/nothing")
    assert (answer.status_code, answer.text[:13]) == (404, "404 Not Found")


async def test_failures_are_served_as_often_as_ordered(sim, http):
    sim.fail("marketdata", Failure(429, retry_after_s=7))
    sim.fail("marketdata", Failure(503), times=2)
    answers = [await http.get(CHAINS, params=TODAY) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 503, 503, 200]
    assert answers[0].headers["Retry-After"] == "7"


async def test_token_failures_can_be_html_or_compressed(sim):
    sim.fail("token", Failure(403, FIREWALL_PAGE))
    sim.fail("token", Failure(400, {"error": "invalid_grant"}, compressed=True))
    async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
        page, error = [await client.post("/v1/oauth/token", data={}) for _ in range(2)]
    assert "Access Denied" in page.text
    assert error.json() == {"error": "invalid_grant"}


async def test_a_rate_limit_answers_429_without_a_body():
    market = Market.generate(("SPX",), start_at=START, seed=1)
    async with open_sim(market, ShiftedClock(START), requests_per_minute=2) as sim:
        token = sim.issue_token()["token"]["access_token"]
        async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            answers = [await client.get("/marketdata/v1/markets", params={"markets": "equity"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].content == b""


async def test_a_taken_port_is_unavailable(sim):
    port = urlsplit(sim.url).port
    with pytest.raises(UnavailableError, match=str(port)):
        async with open_sim(sim.market, ShiftedClock(START), port=port):
            pass


# streamer


async def test_a_session_delivers_images_then_deltas_once_a_period(http):
    async with stream(http) as client:
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY,$SPX,QQQ", fields="0,1,2,3,8,34,35") == 0
        first = await client.next("data")
        assert [row["key"] for row in first["content"]] == ["SPY", "$SPX", "QQQ"]
        assert first["content"][0]["delayed"] is False
        second = await client.next("data")
        assert "delayed" not in second["content"][0]
        assert second["timestamp"] > first["timestamp"]


async def test_every_service_has_its_own_frame(http):
    async with stream(http) as client:
        symbol = "SPXW  260820C06880000"
        assert await client.ask("LEVELONE_OPTIONS", "SUBS", keys=symbol, fields="0,2,3,8,10,35") == 0
        assert await client.ask("LEVELONE_FUTURES", "SUBS", keys="/ES", fields="0,1,2,3,8") == 0
        assert await client.ask("NYSE_BOOK", "SUBS", keys="SPY", fields="0,1,2,3") == 0
        assert await client.ask("OPTIONS_BOOK", "ADD", keys=symbol, fields="0,1,2,3") == 0
        seen = {(await client.next("data"))["service"] for _ in range(12)}
    assert {"LEVELONE_OPTIONS", "LEVELONE_FUTURES", "NYSE_BOOK", "OPTIONS_BOOK"} <= seen


async def test_code_3_denies_a_stale_token_and_closes(sim, http):
    async with stream(http, login=False) as client:
        sim.authority.expire_access()
        assert await client.login() == 3
        assert await client.closed() == 1000


async def test_logins_can_be_refused_on_order(sim, http):
    sim.faults.refused_logins = 1
    async with stream(http, login=False) as client:
        assert await client.login() == 3
    async with stream(http) as client:
        assert client.sent == 1


async def test_code_20_before_login(http):
    async with stream(http, login=False) as client:
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1") == 20


async def test_code_21_without_ids_and_a_close(http):
    async with stream(http) as client:
        client.info = dict.fromkeys(client.info)
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1") == 21
        assert await client.closed() == 1000


async def test_code_11_for_services_that_are_gone_or_down(sim, http):
    async with stream(http) as client:
        assert await client.ask("FUTURES_BOOK", "SUBS", keys="/ES", fields="0,1,2,3") == 11
        sim.faults.unavailable.add("NYSE_BOOK")
        assert await client.ask("NYSE_BOOK", "SUBS", keys="SPY", fields="0,1,2,3") == 11


async def test_code_19_above_the_limit(http):
    async with stream(http) as client:
        keys = ",".join(f"A{i}" for i in range(51))
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys=keys, fields="0,1") == 19


async def test_code_12_goes_to_the_older_session_and_the_newest_stays(http):
    async with stream(http) as old, stream(http) as new:
        notify = await old.next("notify")
        assert notify["content"]["code"] == 12
        assert await old.closed() == 1000
        assert await new.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3") == 0


async def test_code_30_ends_a_session_without_subscriptions(http):
    async with stream(http) as client:
        notify = await client.next("notify")
        while "heartbeat" in notify:
            notify = await client.next("notify")
        assert notify["content"] == {"code": 30, "msg": "Stop streaming due to empty subscription"}
        assert await client.closed() == 1000


async def test_code_22_meets_commands_in_parallel():
    market = Market.generate(("SPX",), start_at=START, seed=1)
    async with open_sim(market, ShiftedClock(START), limits=Limits(ack_s=0.5)) as sim:
        token = sim.issue_token()["token"]["access_token"]
        async with httpx.AsyncClient(base_url=sim.url, trust_env=False) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            async with stream(client) as live:
                await asyncio.sleep(0.6)
                await live.send("LEVELONE_EQUITIES", "SUBS", keys="$SPX", fields="0,3")
                await live.send("LEVELONE_FUTURES", "SUBS", keys="/ES", fields="0,3")
                codes = [(await live.next("response"))["content"]["code"] for _ in range(2)]
    assert codes == [0, 22]


async def test_heartbeats_come_when_nothing_else_does(sim, http):
    sim.faults.frozen = True
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3")
        beat = await client.next("notify")
    assert beat["heartbeat"].isdigit()


async def test_logout_is_acknowledged_and_closes(http):
    async with stream(http) as client:
        assert await client.ask("ADMIN", "LOGOUT") == 0
        assert await client.closed() == 1000


async def test_a_client_ping_is_answered(http):
    async with stream(http) as client:
        await asyncio.wait_for(await client.socket.ping(), 1.0)


@pytest.mark.parametrize("code", [1000, 1001, 1011, None])
async def test_sockets_can_be_dropped_with_and_without_a_code(sim, http, code):
    async with stream(http) as client:
        assert await sim.drop_streams(code) == 1
        assert await client.closed() == code


async def test_a_black_hole_sends_nothing_and_does_not_close(sim, http):
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3")
        sim.faults.black_hole = True
        await asyncio.sleep(0.1)
        while True:  # drain what was under way
            try:
                await asyncio.wait_for(client.socket.recv(), 0.05)
            except TimeoutError:
                break
        with pytest.raises(TimeoutError):  # not even heartbeats, which are due every 0.2 s
            await asyncio.wait_for(client.socket.recv(), 0.6)
        sim.faults.black_hole = False
        assert (await client.next("data"))["service"] == "LEVELONE_EQUITIES"


async def test_a_malformed_frame_can_be_sent_in_between(sim, http):
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3")
        assert await sim.send_raw() == 1
        frames = [await asyncio.wait_for(client.socket.recv(), 1.0) for _ in range(3)]
    assert any("\x00" in str(frame) for frame in frames)


async def test_counters_and_subscriptions_tell_what_happens(sim, http):
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,3")
        await client.next("data")
        assert sim.subscriptions == {"LEVELONE_EQUITIES": ("SPY", "QQQ")}
    assert sim.counters["logins"] == sim.counters["sockets"] == 1
    assert sim.counters["LEVELONE_EQUITIES"] >= 1
    assert sim.counters["/trader/v1/userPreference"] == 1


async def test_the_server_closes_with_clients_still_connected():
    market = Market.generate(("SPX",), start_at=START, seed=1)
    async with asyncio.timeout(5.0):
        async with open_sim(market, ShiftedClock(START), rng=Random(1)) as sim:
            socket = await connect(sim.stream_url, proxy=None)
        with pytest.raises(ConnectionClosed) as caught:
            await socket.recv()
    assert caught.value.rcvd.code == 1001


async def test_a_market_that_starts_before_the_open_wakes_up(sim):
    early = START - timedelta(hours=1, seconds=1)
    market = Market.generate(("SPX",), start_at=early, seed=1)
    assert not market.is_open
    market.advance(early + timedelta(seconds=5))
    assert market.is_open
    assert market.board("$SPX").lines.volume.sum() > 0


# control


async def test_another_process_can_look_and_give_orders(sim, http):
    assert (await http.get("/sim/control")).json()["subscriptions"] == {}
    order = {"order": "fail", "area": "marketdata", "status": 500, "times": 1}
    assert (await http.post("/sim/control", json=order)).status_code == 200
    assert (await http.get(CHAINS, params=TODAY)).status_code == 500
    await http.post("/sim/control", json={"order": "set", "name": "frozen", "value": True})
    assert sim.faults.frozen is True
    await http.post("/sim/control", json={"order": "clear"})
    assert sim.faults.frozen is False
    assert (await http.post("/sim/control", json={"order": "drop", "code": 1011})).json() == {"result": 0}
    token = (await http.post("/sim/control", json={"order": "token"})).json()["result"]
    assert sim.authority.accepts(token["token"]["access_token"])
    await http.post("/sim/control", json={"order": "expire_access"})
    assert not sim.authority.accepts(token["token"]["access_token"])


@pytest.mark.parametrize(
    "order",
    [
        {"order": "dance"},
        [],
        {"order": "fail"},
        {"order": "fail", "area": "moon"},
        {"order": "set", "name": "x", "value": 1},
    ],
)
async def test_senseless_orders_are_refused(http, order):
    assert (await http.post("/sim/control", json=order)).status_code == 400
