import asyncio
import time
from urllib.parse import urlsplit

import aiohttp
import pytest

from bot.sandbox.local_discord import make_token, open_sandbox
from streaming.errors import UnavailableError
from tests.support.wire import log_in, visit


async def test_addresses_are_on_loopback_and_of_discords_form() -> None:
    async with open_sandbox(channels=["one"]) as sandbox:
        port = urlsplit(sandbox.page_url).port
        assert sandbox.api_url == f"http://127.0.0.1:{port}/api/v10"
        assert sandbox.gateway_url == f"ws://127.0.0.1:{port}/gateway/"
        assert list(sandbox.channel_ids) == ["one"]


async def test_a_port_in_use_is_one_sentence_for_the_operator() -> None:
    async with open_sandbox() as sandbox:
        taken = urlsplit(sandbox.page_url).port
        with pytest.raises(UnavailableError, match=str(taken)):
            async with open_sandbox(port=taken or 0):
                pass


async def test_everything_ends_quickly_with_bots_and_pages_still_there() -> None:
    async with asyncio.timeout(5), aiohttp.ClientSession() as http:
        async with open_sandbox() as sandbox:
            socket = await http.ws_connect(sandbox.gateway_url)
            events = await http.get(f"{sandbox.page_url}api/page/events")
            began = time.monotonic()
        assert time.monotonic() - began < 3
        events.close()
        await socket.close()


async def test_two_sandboxes_live_side_by_side() -> None:
    async with open_sandbox() as first, open_sandbox() as second, visit(second, "guest") as guest:
        async with log_in(first) as bot:
            await bot.get_partial_messageable(first.channel_ids["gex-spx"]).send("here")
        assert await guest.messages() == []


def test_every_token_is_another() -> None:
    assert make_token() != make_token()
    assert len(make_token().split(".")) == 3
