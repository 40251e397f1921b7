"""The gateway as a client other than discord.py would meet it."""

import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.local_discord import Sandbox, open_sandbox
from bot.sandbox.rest.faults import Trouble
from bot.sandbox.rest.posts import Posts


@pytest.fixture
async def socket(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as http, http.ws_connect(sandbox.gateway_url) as connected:
        assert (await connected.receive_json(timeout=2))["op"] == 10
        yield connected


def identify(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    return {"op": 2, "d": {"token": sandbox.token, "intents": 1 << 9, "properties": {}, **changes}}


async def close_code(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    while (await socket.receive(timeout=2)).type is aiohttp.WSMsgType.TEXT:
        pass
    return socket.close_code


async def test_identify_brings_ready_then_the_guild(sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_json(identify(sandbox))
    ready, guild = [await socket.receive_json(timeout=2) for _ in range(2)]
    assert (ready["t"], ready["s"], guild["t"], guild["s"]) == ("READY", 1, "GUILD_CREATE", 2)
    assert ready["d"]["resume_gateway_url"] == sandbox.gateway_url
    assert [channel["name"] for channel in guild["d"]["channels"]] == ["gex-spx", "gex-ndx"]
    assert (len(guild["d"]["members"]), guild["d"]["member_count"]) == (1, 3)


async def test_the_members_intent_lists_everybody(sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_json(identify(sandbox, intents=1 << 1))
    await socket.receive_json(timeout=2)
    assert len((await socket.receive_json(timeout=2))["d"]["members"]) == 3


async def test_heartbeats_are_acknowledged(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_json({"op": 1, "d": None})
    assert (await socket.receive_json(timeout=2))["op"] == 11


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("no json", 4002),
        ('{"op": 2}', 4002),
        ('{"op": 99, "d": {}}', 4001),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 2, "d": {"token": "wrong"}}', 4004),
        ('{"op": 6, "d": {"token": "wrong"}}', 4004),
    ],
)
async def test_what_does_not_fit_closes_with_discords_code(
    socket: aiohttp.ClientWebSocketResponse, said: str, code: int
) -> None:
    await socket.send_str(said)
    assert await close_code(socket) == code


async def test_a_second_identify_and_too_many_words_close(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await socket.send_json(identify(sandbox))
    await socket.send_json(identify(sandbox))
    assert await close_code(socket) == 4005
    async with aiohttp.ClientSession() as http, http.ws_connect(sandbox.gateway_url) as talkative:
        for _ in range(121):
            await talkative.send_json({"op": 1, "d": None})
        assert await close_code(talkative) == 4008


async def test_a_client_that_does_not_beat_is_closed() -> None:
    async with (
        open_sandbox(heartbeat_s=0.1) as sandbox,
        aiohttp.ClientSession() as http,
        http.ws_connect(sandbox.gateway_url) as socket,
    ):
        assert await close_code(socket) == 4009


async def test_an_unknown_session_is_invalid_and_may_identify_on_the_same_connection(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await socket.send_json({"op": 6, "d": {"token": sandbox.token, "session_id": "x", "seq": 1}})
    answer = await socket.receive_json(timeout=2)
    assert (answer["op"], answer["d"]) == (9, False)
    await socket.send_json(identify(sandbox))
    assert (await socket.receive_json(timeout=2))["t"] == "READY"


async def test_zlib_stream_is_one_stream_of_flushed_messages(sandbox: Sandbox) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{sandbox.gateway_url}?v=10&encoding=json&compress=zlib-stream") as socket,
    ):
        stream = zlib.decompressobj()
        hello = await socket.receive_bytes(timeout=2)
        assert hello.endswith(b"\x00\x00\xff\xff")
        assert b'"op":10' in stream.decompress(hello)
        await socket.send_json(identify(sandbox))
        assert b'"READY"' in stream.decompress(await socket.receive_bytes(timeout=2))


async def test_ephemeral_messages_are_not_told_to_the_bot(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await socket.send_json(identify(sandbox))
    for _ in range(2):
        await socket.receive_json(timeout=2)
    posts = Posts(sandbox.world, "")
    channel = sandbox.world.channel(sandbox.channel_ids["gex-spx"])
    posts.create(channel, {"content": "secret"}, [], ephemeral_for=sandbox.guest_id)
    posts.create(channel, {"content": "public"}, [])
    assert (await socket.receive_json(timeout=2))["d"]["content"] == "public"


async def test_events_go_only_to_sessions_that_asked_for_their_intent(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await socket.send_json(identify(sandbox, intents=1 << 0))
    for _ in range(2):
        await socket.receive_json(timeout=2)
    sandbox.gateway.dispatch("MESSAGE_CREATE", {}, 1 << 9)
    sandbox.gateway.dispatch("INTERACTION_CREATE", {})
    assert (await socket.receive_json(timeout=2))["t"] == "INTERACTION_CREATE"


# Trouble on demand


@pytest.mark.parametrize("code", [4000, 4004, 4011, 4013, 4014])
async def test_an_identify_may_be_refused_with_any_code_and_counts_all_the_same(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse, code: int
) -> None:
    sandbox.gateway.trouble.refusals.append(code)
    await socket.send_json(identify(sandbox))
    assert await close_code(socket) == code
    assert sandbox.gateway.identifies == 1
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bot {sandbox.token}"}) as http,
        http.get(f"{sandbox.api_url}/gateway/bot") as response,
    ):
        assert (await response.json())["session_start_limit"]["remaining"] == 999


@pytest.mark.parametrize(
    ("answer", "error"), [(None, aiohttp.ServerDisconnectedError), (Trouble(520), aiohttp.WSServerHandshakeError)]
)
async def test_a_gateway_that_is_down_cuts_who_is_there_and_turns_away_who_comes(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse, answer: Trouble | None, error: type[Exception]
) -> None:
    sandbox.gateway.go_down(60.0, answer)
    assert await close_code(socket) == 1006
    async with aiohttp.ClientSession() as http:
        with pytest.raises(error):
            await http.ws_connect(sandbox.gateway_url)
        sandbox.gateway.trouble.come_up()
        async with http.ws_connect(sandbox.gateway_url) as again:
            assert (await again.receive_json(timeout=2))["op"] == 10


async def test_an_event_with_missing_fields_is_sent_as_it_is(
    sandbox: Sandbox, socket: aiohttp.ClientWebSocketResponse
) -> None:
    await socket.send_json(identify(sandbox))
    for _ in range(2):
        await socket.receive_json(timeout=2)
    sandbox.gateway.dispatch("CHANNEL_UPDATE", {})
    event = await socket.receive_json(timeout=2)
    assert (event["t"], event["d"]) == ("CHANNEL_UPDATE", {})


async def test_a_guild_and_its_events_come_to_its_own_shard_and_identifies_keep_five_seconds_apart(
    sandbox: Sandbox,
) -> None:
    sandbox.gateway.trouble.max_concurrency = 2
    own = (sandbox.guild_id >> 22) % 4
    other, same_bucket = (own + 1) % 4, (own + 2) % 4
    async with aiohttp.ClientSession() as http:

        async def connect(number: int) -> tuple[aiohttp.ClientWebSocketResponse, dict[str, Any]]:
            socket = await http.ws_connect(sandbox.gateway_url)
            await socket.receive_json(timeout=2)
            await socket.send_json(identify(sandbox, intents=1, shard=[number, 4]))
            return socket, await socket.receive_json(timeout=2)

        here, ready = await connect(own)
        _, elsewhere = await connect(other)
        _, refused = await connect(same_bucket)
        sandbox.add_channel("new")
        assert [(await here.receive_json(timeout=2))["t"] for _ in range(2)] == ["GUILD_CREATE", "CHANNEL_CREATE"]
    assert ready["d"]["shard"] == [own, 4] and len(ready["d"]["guilds"]) == 1
    assert elsewhere["d"]["shard"] == [other, 4] and not elsewhere["d"]["guilds"]
    assert refused["op"] == 9 and sandbox.gateway.too_soon == 1
