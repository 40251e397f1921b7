"""Answers byte by byte, as a client other than discord.py would see them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.sandbox.local_discord import Sandbox
from bot.sandbox.rest.faults import Trouble, refused


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bot {sandbox.token}"}) as session:
        yield session


def create_url(sandbox: Sandbox) -> str:
    return f"{sandbox.api_url}/channels/{sandbox.channel_ids['gex-spx']}/messages"


async def answer(response: aiohttp.ClientResponse) -> tuple[int, Any]:
    return response.status, await response.json()


async def test_answers_have_exactly_the_content_type_that_the_library_compares(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    async with http.get(f"{sandbox.api_url}/users/@me") as response:
        assert response.headers["Content-Type"] == "application/json"
        assert (await response.json())["id"] == str(sandbox.world.application_id)


async def test_every_answer_carries_its_bucket(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    async with http.post(create_url(sandbox), json={"content": "x"}) as response:
        headers = response.headers
        assert (headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == ("5", "4")
        assert 4.5 < float(headers["X-RateLimit-Reset-After"]) <= 5.0


async def test_a_sixth_message_meets_a_429_that_says_how_long(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    for _ in range(5):
        async with http.post(create_url(sandbox), json={"content": "x"}) as response:
            assert response.status == 200
    async with http.post(create_url(sandbox), json={"content": "x"}) as response:
        assert response.headers["Via"]
        assert response.headers["X-RateLimit-Scope"] == "user"
        status, body = await answer(response)
    assert (status, body["global"]) == (429, False)
    assert 0 < body["retry_after"] <= 5
    assert sandbox.traffic.statuses[429] == 1


async def test_the_fifty_first_request_of_a_second_meets_the_global_limit(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    async def ask(number: int) -> tuple[int, Any]:
        async with http.get(f"{sandbox.api_url}/channels/{number}") as response:
            return response.status, (response.headers.get("X-RateLimit-Global"), await response.json())

    answers = await asyncio.gather(*(ask(number) for number in range(1, 61)))
    limited = [body for status, body in answers if status == 429]
    assert len(limited) == 10
    assert all(header == "true" and body["global"] for header, body in limited)


async def test_a_missing_or_wrong_token_is_unauthorized(sandbox: Sandbox) -> None:
    async with aiohttp.ClientSession() as http:
        for headers in ({}, {"Authorization": "Bot wrong"}):
            async with http.get(f"{sandbox.api_url}/users/@me", headers=headers) as response:
                assert await answer(response) == (401, {"message": "401: Unauthorized", "code": 0})


@pytest.mark.parametrize("path", ["/nowhere", "/channels/abc/messages"])
async def test_an_unknown_path_is_not_found(http: aiohttp.ClientSession, sandbox: Sandbox, path: str) -> None:
    async with http.get(f"{sandbox.api_url}{path}") as response:
        assert await answer(response) == (404, {"message": "404: Not Found", "code": 0})


async def test_broken_json_and_a_body_that_is_no_object_are_refused(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    headers = {"Content-Type": "application/json"}
    async with http.post(create_url(sandbox), data=b"{", headers=headers) as response:
        assert (await answer(response))[1]["code"] == 50109
    async with http.post(create_url(sandbox), data=b"[1]", headers=headers) as response:
        assert (await answer(response))[1]["code"] == 50035


async def test_a_refused_form_nests_its_errors(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    async with http.post(create_url(sandbox), json={"embeds": [{"title": "x" * 257}]}) as response:
        status, body = await answer(response)
    assert (status, body["code"], body["message"]) == (400, 50035, "Invalid Form Body")
    (error,) = body["errors"]["embeds"]["0"]["title"]["_errors"]
    assert error == {"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 256 or fewer in length."}
    assert sandbox.traffic.violations == 1


async def test_requests_are_remembered_by_the_template_of_discords_description(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    async with http.post(create_url(sandbox), json={"content": "x"}):
        pass
    record = sandbox.traffic.requests[-1]
    assert (record.method, record.path) == ("POST", "/channels/{channel_id}/messages")
    assert (record.body, record.status) == ({"content": "x"}, 200)


async def test_a_multipart_message_keeps_every_file(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", '{"attachments": [{"id": "1", "description": "second"}]}')
    form.add_field("files[0]", b"a", filename="a.txt")
    form.add_field("files[1]", b"b", filename="b.txt")
    async with http.post(create_url(sandbox), data=form) as response:
        _, body = await answer(response)
    named = [(item["filename"], item.get("description")) for item in body["attachments"]]
    assert named == [("a.txt", None), ("b.txt", "second")]
    async with http.get(body["attachments"][1]["url"]) as response:
        assert await response.read() == b"b"
        assert response.headers["Content-Disposition"] == "attachment"


# Failures on demand


async def test_a_page_in_place_of_an_answer_comes_with_its_own_content_type(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    sandbox.fail(Trouble(200, shape="page"), on="me", count=1)
    async with http.get(f"{sandbox.api_url}/users/@me") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        assert "<html>" in await response.text()


async def test_the_first_login_may_meet_discords_401_or_a_page(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    sandbox.fail(Trouble(401), on="me", count=1)
    sandbox.fail(Trouble(401, shape="page"), on="me", count=1)
    async with http.get(f"{sandbox.api_url}/users/@me") as response:
        assert await answer(response) == (401, {"message": "401: injected", "code": 0})
    async with http.get(f"{sandbox.api_url}/users/@me") as response:
        assert (response.status, response.content_type) == (401, "text/html")


async def test_trouble_of_one_channel_spares_the_other(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    sandbox.fail(refused(40333), on="post", channel_id=sandbox.channel_ids["gex-spx"])
    async with http.post(create_url(sandbox), json={"content": "x"}) as response:
        status, body = await answer(response)
    assert (status, body["code"]) == (403, 40333)
    other = f"{sandbox.api_url}/channels/{sandbox.channel_ids['gex-ndx']}/messages"
    async with http.post(other, json={"content": "x"}) as response:
        assert response.status == 200


async def test_a_late_failure_lets_the_message_stand_and_a_cut_one_says_nothing(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    sandbox.fail(Trouble(502, late=True), on="post", count=1)
    sandbox.fail(Trouble(cut=True), on="post", count=1)
    async with http.post(create_url(sandbox), json={"content": "x"}) as response:
        assert response.status == 502
    assert [message.content for message in sandbox.world.messages()] == ["x"]
    with pytest.raises(aiohttp.ClientError):
        await http.post(create_url(sandbox), json={"content": "y"})
    assert [message.content for message in sandbox.world.messages()] == ["x"]


async def test_a_hung_request_answers_when_the_faults_are_cleared(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    sandbox.fail(Trouble(503, hang_s=60.0), on="channel", count=1)
    url = f"{sandbox.api_url}/channels/{sandbox.channel_ids['gex-spx']}"
    asked = asyncio.create_task(http.get(url))
    await asyncio.sleep(0.05)
    assert not asked.done()
    sandbox.faults.clear()
    async with await asyncio.wait_for(asked, 2) as response:
        assert response.status == 503
