"""The HTTP API as clients meet it: who is let in, what each path answers, and what else there is to say."""

import asyncio
import json
from datetime import timedelta

import pytest
from pydantic import SecretStr

from streaming.api import server
from streaming.errors import OperatorError, TransientError, UnavailableError
from streaming.settings import StreamSettings
from streaming.sources import gexbot
from streaming.symbols import parse_ticker
from tests.support.api import KNOWN, TOKEN, open_api
from tests.support.snapshots import ASOF, snapshot

LEVELS = "/v1/levels/SPX"


def trouble(answer):
    said = answer.json()
    assert set(said) == {"error", "code"}
    assert said["error"].endswith(".")
    return answer.status_code, said["code"]


async def test_every_path_answers_who_knows_the_token(redis):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        levels = (await rig.http.get("/v1/levels/spx")).json()
        assert (levels["symbol"], levels["age_seconds"], levels["levels"]["call_wall"]) == ("SPX", 2.0, 6450.0)
        assert (await rig.http.get("/v1/snapshot/SPX")).json()["scopes"]["full"]["oi"]["zero_gamma"] == 6385.5
        [point] = (await rig.http.get("/v1/history/SPX?minutes=5")).json()["points"]
        assert point["put_wall"] == 6300.0
        [symbol] = (await rig.http.get("/v1/symbols")).json()["symbols"]
        assert (symbol["symbol"], symbol["stale"]) == ("SPX", False)
        text = await rig.http.get(f"{LEVELS}/tradingview")
        assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert text.text.endswith("Zero gamma,6385.50;Call wall,6450.00;Put wall,6300.00\n")
        assert (await rig.http.get(f"{LEVELS}/csv")).headers["Content-Type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("base", ["", "/v2"])
async def test_an_add_on_for_gexbot_finds_its_paths_with_the_key_in_either_place(redis, base):
    async with open_api(redis, "SPX", "NQ_NDX", "SPY") as rig:
        await rig.store.put(snapshot())
        rig.http.headers.pop("Authorization")
        chain = await rig.http.get(f"{base}/SPX/classic/full?key={TOKEN}&cache=7")
        assert (chain.status_code, chain.json()["sum_gex_vol"]) == (200, 1250.0)
        majors = await rig.http.get(f"{base}/SPX/classic/gex_full/majors", headers=KNOWN)
        assert majors.json()["mpos_vol"] == 6450.0
        assert (await rig.http.get(f"{base}/SPX/classic/full/maxchange", headers=KNOWN)).json()["one"] == [6395.0, -2.0]
        listed = (await rig.http.get(f"{base}/tickers", headers=KNOWN)).json()
        assert listed == {"stocks": ["SPY"], "indexes": ["SPX"], "futures": ["NQ_NDX"]}
        assert trouble(await rig.http.get(f"{base}/SPX/classic/zero", headers=KNOWN)) == (404, "not_found")


@pytest.mark.parametrize("base", ["", "/v2"])
async def test_our_own_client_of_gexbot_reads_what_it_answers(redis, base):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        settings = StreamSettings(_env_file=None, gexbot_api_url=f"{rig.api.url}{base}")
        await gexbot.try_key(settings, SecretStr(TOKEN), parse_ticker("SPX"), rig.clock)
        assert rig.api.status().requests == {"classic": 1}
        with pytest.raises(OperatorError, match="refuse"):
            await gexbot.try_key(settings, SecretStr("another"), parse_ticker("SPX"), rig.clock)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/levels/NDX", (404, "not_found")),
        ("/v1/levels/SPX?view=etf", (404, "not_found")),
        ("/v1/levels/SPX/csv?scope=zero", (404, "not_found")),
        ("/v1/levels/!!", (400, "bad_request")),
        ("/v1/levels/SPXW", (400, "bad_request")),
        ("/v1/levels/SPX?scope=some", (400, "bad_request")),
        ("/v1/levels/SPX?socpe=zero", (400, "bad_request")),
        ("/v1/levels/SPX/excel", (400, "bad_request")),
        ("/v1/history/SPX?points=1000000", (400, "bad_request")),
        ("/v1/events/NDX?kind=all", (400, "bad_request")),
        ("/v1/events/SPX?view=etf", (404, "not_found")),
        ("/SPX/classic/all", (400, "bad_request")),
        ("/v1/nothing", (404, "not_found")),
    ],
)
async def test_what_cannot_be_answered_is_one_sentence_and_a_word_in_one_shape(redis, path, told):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        assert trouble(await rig.http.get(path)) == told
        assert rig.api.status().refusals == {told[1]: 1}


async def test_only_reading_is_possible(redis):
    async with open_api(redis) as rig:
        assert trouble(await rig.http.post(LEVELS, content=b"x" * 100)) == (405, "method_not_allowed")
        await rig.store.put(snapshot())
        head = await rig.http.head(LEVELS)
        assert (head.status_code, head.content) == (200, b"")


async def test_without_the_token_only_the_description_is_given(redis):
    async with open_api(redis) as rig:
        rig.http.headers.pop("Authorization")
        for path in (LEVELS, "/v1/symbols", "/tickers", "/v1/events/SPX", "/v1/nothing"):
            answer = await rig.http.get(path)
            assert trouble(answer) == (401, "unauthorized")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert trouble(await rig.http.get(LEVELS, headers={"Authorization": "Basic YTpi"})) == (401, "unauthorized")
        assert trouble(await rig.http.get(f"{LEVELS}?key=wrong")) == (401, "unauthorized")
        assert (await rig.http.get("/v1/openapi.json")).json()["openapi"] == "3.1.0"


async def test_whoever_asks_too_often_is_told_when_to_come_again(redis):
    async with open_api(redis, api_requests_per_minute=12) as rig:
        await rig.store.put(snapshot())
        assert [(await rig.http.get(LEVELS)).status_code for _ in range(2)] == [200, 200]
        assert (await rig.http.get("/v1/history/SPX")).status_code == 200, "which costs ten"
        answer = await rig.http.get(LEVELS)
        assert trouble(answer) == (429, "too_many_requests")
        rig.clock.advance(float(answer.headers["Retry-After"]))
        assert (await rig.http.get(LEVELS)).status_code == 200
        status = rig.api.status()
        assert (status.requests, status.refusals) == ({"levels": 3, "history": 1}, {"too_many_requests": 1})
        assert status.clients == 1


async def test_the_same_figures_are_not_sent_twice_and_turning_stale_is_news(redis):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        first = await rig.http.get(LEVELS)
        assert first.headers["Cache-Control"] == "no-store"
        known = {"If-None-Match": first.headers["ETag"]}
        assert (await rig.http.get(LEVELS, headers=known)).status_code == 304
        rig.clock.advance(10.0)
        stale = await rig.http.get(LEVELS, headers=known)
        assert (stale.status_code, stale.json()["stale"]) == (200, True)
        await rig.store.put(snapshot(asof=ASOF + timedelta(seconds=11), seq=2))
        assert (await rig.http.get(LEVELS, headers=known)).json()["as_of_ms"] > first.json()["as_of_ms"]


async def test_pages_of_other_origins_are_answered_only_where_a_setting_names_them(redis):
    page, other = {"Origin": "https://charts.example"}, {"Origin": "https://evil.example"}
    async with open_api(redis, api_origins="https://Charts.example/") as rig:
        await rig.store.put(snapshot())
        answer = await rig.http.get(LEVELS, headers=page)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, page["Origin"])
        assert answer.headers["Vary"] == "Origin"
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        before = await rig.http.options(LEVELS, headers={**page, **asked, "Authorization": ""})
        assert (before.status_code, before.headers["Access-Control-Allow-Origin"]) == (204, page["Origin"])
        assert "Authorization" in before.headers["Access-Control-Allow-Headers"]
        refused = await rig.http.get(LEVELS, headers=other)
        assert trouble(refused) == (403, "forbidden")
        assert "Access-Control-Allow-Origin" not in refused.headers
        wrong = await rig.http.get(LEVELS, headers=page | {"Authorization": "Bearer wrong"})
        assert (wrong.status_code, wrong.headers["Access-Control-Allow-Origin"]) == (401, page["Origin"])
    async with open_api(redis, api_origins="*") as rig:
        assert (await rig.http.get(LEVELS, headers=other)).headers["Access-Control-Allow-Origin"] == other["Origin"]


async def test_on_loopback_only_addresses_of_this_machine_are_answered(redis):
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        assert trouble(await rig.http.get(LEVELS, headers={"Host": "rebound.example"})) == (403, "forbidden")
        assert (await rig.http.get(LEVELS, headers={"Host": "localhost:1"})).status_code == 200


async def test_while_redis_is_away_it_says_so_and_when_to_come_again(redis, monkeypatch):
    async with open_api(redis) as rig:
        monkeypatch.setattr(rig.store, "latest", away)
        answer = await rig.http.get(LEVELS)
        assert trouble(answer) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"


async def away(_ticker):
    raise TransientError("Redis does not answer.")


async def test_a_bug_is_logged_and_is_one_requests_own(redis, monkeypatch, caplog):
    async def broken(_ticker):
        raise KeyError("secret")

    async with open_api(redis) as rig:
        with monkeypatch.context() as patched:
            patched.setattr(rig.store, "latest", broken)
            answer = await rig.http.get(LEVELS)
        assert trouble(answer) == (500, "internal")
        assert "secret" not in answer.text
        assert "a request to the API met a bug" in caplog.text
        assert (await rig.http.get(LEVELS)).status_code == 404


async def test_a_stream_that_meets_a_bug_ends_and_says_nothing_else_on_its_line(redis, monkeypatch, caplog):
    async def broken(*_, **__):
        raise KeyError("secret")

    monkeypatch.setattr(server, "tell_events", broken)
    async with open_api(redis) as rig:
        answer = await rig.http.get("/v1/events/SPX")
        assert (answer.status_code, answer.text) == (200, "retry: 2000\n\n")
        assert "a stream of events met a bug" in caplog.text


def event_of(lines):
    said = dict(line.partition(": ")[::2] for line in lines)
    return said["event"], json.loads(said["data"])


async def events(answer, count):
    """So many events of a stream, each its lines."""
    found, lines = [], []
    async for line in answer.aiter_lines():
        if line:
            lines.append(line)
            continue
        if lines and lines[0].startswith("event"):
            found.append(event_of(lines))
        lines = []
        if len(found) == count:
            return found
    return found


async def test_a_stream_sends_the_newest_and_then_each_new_one(redis):
    async with open_api(redis, "SPX", "NDX") as rig:
        await rig.store.put(snapshot())
        async with asyncio.timeout(5), rig.http.stream("GET", "/v1/events/SPX") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
            await rig.store.put(snapshot("NDX", asof=ASOF + timedelta(seconds=1), seq=2))
            await rig.store.put(snapshot(asof=ASOF + timedelta(seconds=1), seq=3))
            told = await events(answer, 2)
            assert rig.api.status().streams == 1
        assert [kind for kind, _ in told] == ["levels", "levels"]
        assert [said["as_of_ms"] for _, said in told] == [1787238000000, 1787238001000]
        async with asyncio.timeout(5), rig.http.stream("GET", "/v1/events/SPX?kind=snapshot") as answer:
            [(kind, said)] = await events(answer, 1)
        assert (kind, said["seq"]) == ("snapshot", 3)
        assert rig.api.status().requests == {"events": 2}
        assert rig.api.status().events >= 3


async def test_no_more_streams_are_opened_than_there_may_be(redis, monkeypatch):
    monkeypatch.setattr(server, "MOST_STREAMS", 1)
    async with open_api(redis) as rig:
        await rig.store.put(snapshot())
        async with asyncio.timeout(5):
            async with rig.http.stream("GET", "/v1/events/SPX") as answer:
                await events(answer, 1)
                assert trouble(await rig.http.get("/v1/events/SPX")) == (429, "too_many_requests")
            while rig.api.status().streams:
                await asyncio.sleep(0.01)
            async with rig.http.stream("GET", "/v1/events/SPX") as answer:
                assert answer.status_code == 200


@pytest.mark.parametrize("begun", [b"", b"GET /v1/symbols HTTP/1.1\r\nHost:"], ids=["nothing", "half a request"])
async def test_a_connection_that_never_asks_is_closed(redis, monkeypatch, begun):
    monkeypatch.setattr(server, "_IDLE_S", 0.05)
    async with open_api(redis) as rig, asyncio.timeout(5):
        url = rig.http.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        writer.write(begun)
        assert await reader.read() == b""
        writer.close()
        assert (await rig.http.get("/v1/symbols")).status_code == 200


async def test_a_port_that_is_taken_is_said_by_its_setting(redis):
    async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0) as taken:
        with pytest.raises(UnavailableError, match="of API_PORT cannot be used"):
            async with open_api(redis, api_port=taken.sockets[0].getsockname()[1]):
                pass
