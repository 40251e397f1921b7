"""streaming/process/http_bodies.py: the real client against a local server."""

import gzip
import tracemalloc
import zlib

import pytest
from aiohttp import web

from streaming.errors import ContractError
from streaming.process.http_bodies import open_client
from tests.support.http import open_http_server

BODY = b'{"symbol": "$SPX"}' * 100
MOST = 2_000_000


async def answer_to(response, *, most_bytes=MOST):
    async with (
        open_http_server(lambda seen: response) as server,
        open_client(timeout_s=5, most_bytes=most_bytes) as http,
    ):
        return await http.get(f"{server.url}/x")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (gzip.compress(BODY), {"Content-Encoding": "gzip"}),
        (gzip.compress(BODY[:50]) + gzip.compress(BODY[50:]), {"Content-Encoding": "gzip"}),
        (zlib.compress(BODY), {"Content-Encoding": "deflate"}),
        (b"", {}),
    ],
    ids=["plain", "gzip", "two members", "deflate", "empty"],
)
async def test_a_body_comes_unpacked(body, headers):
    response = await answer_to(web.Response(body=body, headers=headers))
    assert response.content == (body and BODY)


async def test_a_small_answer_that_would_be_huge_is_refused_before_it_is():
    bomb = gzip.compress(b"\0" * 60_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ContractError, match="more than 2 MB"):
            await answer_to(web.Response(body=bomb, headers={"Content-Encoding": "gzip"}))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"x" * (MOST + 1), {}, "more than 2 MB"),
        (b"no gzip", {"Content-Encoding": "gzip"}, "cannot be unpacked"),
        (BODY, {"Content-Encoding": "br"}, "not asked for"),
    ],
    ids=["too large", "no gzip", "another encoding"],
)
async def test_what_is_too_large_or_cannot_be_unpacked_is_a_breach(body, headers, said):
    with pytest.raises(ContractError, match=said):
        await answer_to(web.Response(body=body, headers=headers))
