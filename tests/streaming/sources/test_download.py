"""streaming/sources/download.py"""

import asyncio
import gzip

import pytest
from aiohttp import web

from streaming.clock import SystemClock
from streaming.errors import ContractError, TransientError
from streaming.sources.download import Server, SlowDownError, download, open_client
from tests.support.http import open_http_server

SERVER = Server("The server", "Do this.", "Do that.", most_bytes=1000, within_s=0.3)


async def fetch(handler, server=SERVER):
    async with open_http_server(handler) as http, open_client() as client:
        return await download(client, http.url, server, about="SPX", clock=SystemClock())


async def test_a_body_larger_than_agreed_is_not_read_on():
    with pytest.raises(ContractError, match="more than 0 MB"):
        await fetch(lambda _seen: web.Response(body=b"x" * 1001))


async def test_the_bound_counts_what_is_unpacked():
    packed = gzip.compress(b"x" * 100_000, mtime=0)
    assert len(packed) < 1000
    with pytest.raises(ContractError, match="holds more than"):
        await fetch(lambda _seen: web.Response(body=packed, headers={"Content-Encoding": "gzip"}))


async def test_a_body_that_cannot_be_unpacked_breaks_the_contract():
    with pytest.raises(ContractError, match="cannot be unpacked"):
        await fetch(lambda _seen: web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"}))


@pytest.mark.parametrize("body", [gzip.compress(b"x" * 500, mtime=0)[:-9], b""])
async def test_half_a_packed_body_is_no_body(body):
    with pytest.raises(ContractError, match="cut off"):
        await fetch(lambda _seen: web.Response(body=body, headers={"Content-Encoding": "gzip"}))


async def test_a_packed_body_arrives_whole():
    packed = gzip.compress(b"x" * 900, mtime=0)
    answer = await fetch(lambda _seen: web.Response(body=packed, headers={"Content-Encoding": "gzip"}))
    assert answer.body == b"x" * 900


async def test_another_packing_than_asked_for_breaks_the_contract():
    with pytest.raises(ContractError, match="not asked for"):
        await fetch(lambda _seen: web.Response(body=b"x", headers={"Content-Encoding": "br"}))


async def test_an_answer_that_trickles_ends_in_time():
    async def trickle(_seen):
        await asyncio.sleep(2)
        return web.Response(body=b"late")

    with pytest.raises(TransientError, match="did not answer within"):
        await fetch(trickle)


async def test_a_wish_to_slow_down_comes_with_its_seconds():
    with pytest.raises(SlowDownError) as caught:
        await fetch(lambda _seen: web.Response(status=429, headers={"Retry-After": "7"}))
    assert caught.value.retry_after_s == 7


async def test_the_answer_says_by_what_to_ask_for_news():
    stamp = {"ETag": '"a"', "Last-Modified": "Thu, 20 Aug 2026 15:00:00 GMT"}
    answer = await fetch(lambda _seen: web.Response(body=b"{}", headers=stamp))
    assert answer.conditions == {"If-None-Match": '"a"', "If-Modified-Since": stamp["Last-Modified"]}


async def test_nothing_new_is_none():
    assert await fetch(lambda _seen: web.Response(status=304)) is None
