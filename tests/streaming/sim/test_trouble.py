"""What goes wrong on order: by `/sim/control`, seen by a plain client."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from websockets.exceptions import ConnectionClosed

from streaming.sim.control import ORDERS
from tests.support.sim_stream import stream

CHAINS = "/marketdata/v1/chains"
TODAY = {"symbol": "$SPX", "fromDate": "2026-08-20", "toDate": "2026-08-20"}
OPTION = "SPXW  260820C06880000"


async def give(http, order: str, **arguments):
    answer = await http.post("/sim/control", json={"order": order, **arguments})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


async def test_the_control_endpoint_tells_its_orders_limits_and_facts(http):
    told = (await http.get("/sim/control")).json()
    assert set(told["orders"]) == set(ORDERS)
    assert told["limits"]["keys"] == 50
    assert told["open"] is True


@pytest.mark.parametrize(
    "order",
    [
        {"order": "limit", "name": "patience", "value": 1},
        {"order": "limit", "name": "keys", "value": "many"},
        {"order": "halt", "symbol": "MOON"},
        {"order": "halt"},
        {"order": "jump", "seconds": -1},
        {"order": "jump", "seconds": 10**9},
        {"order": "notify", "code": 4},
        {"order": "set", "name": "fragment", "value": "big"},
        {"order": "set", "name": "chains", "value": "upside_down"},
    ],
)
async def test_senseless_orders_say_what_is_wrong(http, order):
    answer = await http.post("/sim/control", json=order)
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_an_order_that_is_no_json_is_refused(http):
    assert (await http.post("/sim/control", content=b"{")).status_code == 400


async def test_messages_come_in_pieces_and_whole_ones_in_between(sim, http):
    await give(http, "set", name="fragment", value=50)
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,1,2,3,8,34,35")
        assert [row["key"] for row in (await client.next("data"))["content"]] == ["SPY", "QQQ"]
        await give(http, "set", name="fragment", value=0)
        assert (await client.next("data"))["service"] == "LEVELONE_EQUITIES"


async def test_a_client_that_asks_for_compression_gets_it(http):
    async with stream(http, compression="deflate") as client:
        assert [item.name for item in client.socket.protocol.extensions] == ["permessage-deflate"]
        await client.ask("LEVELONE_OPTIONS", "SUBS", keys=OPTION, fields="0,2,3,8,10,35")
        assert (await client.next("data"))["content"][0]["key"] == OPTION
    async with stream(http, compression=None) as client:
        assert client.socket.protocol.extensions == []


async def test_under_load_frames_hold_some_rows_and_the_next_ones_the_others(http):
    await give(http, "set", name="partial", value=0.5)
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY,$SPX,QQQ", fields="0,3,34,35")
        sizes, images = set(), set()
        for _ in range(20):
            rows = (await client.next("data"))["content"]
            sizes.add(len(rows))
            images |= {row["key"] for row in rows if "delayed" in row}
    assert images == {"SPY", "$SPX", "QQQ"}
    assert min(sizes) < 3


async def _last_words(socket) -> tuple[str, ConnectionClosed | None]:
    """The last message before the end, and the end."""
    text = ""
    async with asyncio.timeout(10.0):
        while True:
            try:
                text = await socket.recv()
            except ConnectionClosed as error:
                return text, error


async def test_a_client_that_stops_reading_is_told_code_30_and_cut_off(sim, http):
    sim.set_limits(replace(sim.limits, slow_s=0.3, idle_s=60.0))
    big = b'{"data":[],"x":"' + b"x" * 4_000_000 + b'"}'
    async with stream(http, max_queue=1, max_size=None, compression=None) as client:
        client.socket.transport.pause_reading()
        pushes = [asyncio.create_task(sim.send_raw(big), name=f"push-{i}") for i in range(4)]
        async with asyncio.timeout(5.0):
            while not sim.counters["slow readers"]:
                await asyncio.sleep(0.02)
        client.socket.transport.resume_reading()
        text, end = await _last_words(client.socket)
        await asyncio.gather(*pushes)
    assert end.rcvd is None  # no close frame
    assert json.loads(text)["notify"][0]["content"] == {"code": 30, "msg": "Stop streaming due to slowness"}
    assert sim.counters["slow readers"] == 1


async def test_a_client_that_never_reads_again_is_gone_in_the_end(sim, http):
    sim.set_limits(replace(sim.limits, slow_s=0.2, idle_s=60.0))
    async with stream(http, max_queue=1, max_size=None, compression=None) as client:
        client.socket.transport.pause_reading()
        await asyncio.gather(*(sim.send_raw(b"x" * 4_000_000) for _ in range(4)))
        async with asyncio.timeout(5.0):
            while sim._streams.connections:
                await asyncio.sleep(0.02)
        client.socket.transport.abort()
    assert sim.counters["slow readers"] == 1


async def test_a_notify_can_be_ordered_with_and_without_a_close(http):
    async with stream(http) as client:
        assert await give(http, "notify", code=9, msg="try later", close=False) == 1
        notify = await client.next("notify")
        assert notify["content"] == {"code": 9, "msg": "try later"}
        await give(http, "notify", code=12)
        assert (await client.next("notify"))["content"]["code"] == 12
        assert await client.closed() == 1000


async def test_limits_change_while_streams_are_open(sim, http):
    async with stream(http) as client:
        await give(http, "limit", name="keys", value=1)
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY,QQQ", fields="0,1") == 19
        await give(http, "limit", name="ack_s", value=5)
        assert await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,1") == 0
        assert await client.ask("LEVELONE_EQUITIES", "ADD", keys="SPY", fields="0,1") == 24
    assert sim.limits.ack_s == 5.0


async def test_a_halt_reaches_quotes_and_stream_and_clear_lifts_it(http):
    await give(http, "halt", symbol="*")
    quote = (await http.get("/marketdata/v1/quotes", params={"symbols": "SPY"})).json()["SPY"]["quote"]
    assert quote["securityStatus"] == "Halted"
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3,32")
        assert (await client.next("data"))["content"][0]["32"] == "Halted"
        await give(http, "clear")
        assert (await client.next("data"))["content"][0]["32"] == "Normal"


async def _row_with(client, field: str) -> dict:
    """The next first row that has a field."""
    async with asyncio.timeout(5.0):
        while True:
            row = (await client.next("data"))["content"][0]
            if field in row:
                return row


async def test_a_jump_over_the_close_shows_a_closed_market_and_keeps_the_tokens(sim, http):
    before = sim.market.now
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3,32")
        await client.next("data")
        await give(http, "jump", seconds=7.5 * 3600)
        row = await _row_with(client, "32")
    assert row["32"] == "Closed"
    assert sim.market.now - before >= timedelta(hours=7.5)
    assert (await http.get("/marketdata/v1/markets", params={"markets": "equity"})).status_code == 200


async def test_a_jump_to_the_next_day_lists_it_and_sends_the_new_closes(sim, http):
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3,12,32")
        close = (await client.next("data"))["content"][0]["12"]
        last = sim.market.tape("SPY").last
        await give(http, "jump", seconds=86400)
        row = await _row_with(client, "12")
    assert row["12"] != close
    assert row["12"] == pytest.approx(last, rel=0.001)
    dates = (await http.get("/marketdata/v1/expirationchain", params={"symbol": "$SPX"})).json()["expirationList"]
    assert dates[0]["expirationDate"] == "2026-08-21"


async def test_delayed_data_say_so_in_images_and_chains(http):
    await give(http, "set", name="delayed", value=True)
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3")
        assert (await client.next("data"))["content"][0]["delayed"] is True
    assert (await http.get(CHAINS, params=TODAY)).json()["isDelayed"] is True


async def test_a_chain_may_come_without_open_interest(http):
    await give(http, "set", name="no_open_interest", value=True)
    chain = (await http.get(CHAINS, params=TODAY)).json()
    contracts = [item for strikes in chain["callExpDateMap"].values() for found in strikes.values() for item in found]
    assert {item["openInterest"] for item in contracts} == {0}


async def odd_chain(http, kind: str) -> dict:
    await give(http, "set", name="chains", value=kind)
    answer = await http.get(CHAINS, params=TODAY)
    assert answer.status_code == 200
    return answer.json()


def strikes_of(chain: dict) -> list[dict]:
    return [strikes for side in ("callExpDateMap", "putExpDateMap") for strikes in chain[side].values()]


async def test_chains_may_come_as_no_chain_at_all(http):
    assert await odd_chain(http, "empty") == {}
    assert list(await odd_chain(http, "errors")) == ["errors"]
    failed = await odd_chain(http, "failed")
    assert (failed["status"], failed["callExpDateMap"], failed["putExpDateMap"]) == ("FAILED", {}, {})
    assert "callExpDateMap" not in await odd_chain(http, "no_maps")


async def test_chains_may_come_with_one_side_few_strikes_or_another_expiry(http):
    assert (await odd_chain(http, "calls_only"))["putExpDateMap"] == {}
    assert (await odd_chain(http, "puts_only"))["callExpDateMap"] == {}
    assert [len(strikes) for strikes in strikes_of(await odd_chain(http, "few_strikes"))] == [3, 3]
    assert list((await odd_chain(http, "another_expiry"))["putExpDateMap"]) == ["2026-08-21:1"]


async def test_chains_may_come_without_a_price_or_with_odd_rows(http):
    assert (await odd_chain(http, "no_price"))["underlyingPrice"] is None
    odd = await odd_chain(http, "odd_rows")
    assert "someday:3" in odd["callExpDateMap"]
    assert "100000.0" in odd["callExpDateMap"]["2026-08-20:0"]
    assert list((await odd_chain(http, ""))["callExpDateMap"]) == ["2026-08-20:0"]


async def test_a_list_of_expirations_may_be_empty_or_short(http):
    async def listed() -> list:
        answer = await http.get("/marketdata/v1/expirationchain", params={"symbol": "$SPX"})
        return answer.json()["expirationList"]

    good = await listed()
    await give(http, "set", name="expirations", value="empty")
    assert await listed() == []
    await give(http, "set", name="expirations", value="one")
    assert await listed() == good[:1]
    await give(http, "clear")
    assert await listed() == good


async def test_a_command_is_followed_by_its_own_services_image_only(sim, http):
    sim.set_limits(replace(sim.limits, frame_s=30.0, heartbeat_s=60.0))
    async with stream(http) as client:
        await client.ask("LEVELONE_EQUITIES", "SUBS", keys="SPY", fields="0,3")
        await client.next("data")
        await asyncio.sleep(1.1)
        sim.shared.sync()  # SPY has moved too, and waits for its turn
        await client.ask("LEVELONE_FUTURES", "SUBS", keys="/ES", fields="0,3")
        assert (await client.next("data"))["service"] == "LEVELONE_FUTURES"
        with pytest.raises(TimeoutError):
            await client.next("data", limit_s=0.3)
