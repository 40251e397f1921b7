"""Discord's part of the panel, over the wire."""

from typing import Any

import pytest

from bot.sandbox.local_discord import Sandbox
from tests.support.wire import Visitor


async def rows(sandbox: Sandbox, title: str) -> dict[str, Any]:
    facts = await sandbox.backstage.facts()
    gauge = next(gauge for gauge in facts["gauges"] if gauge["title"] == title)
    return {row["name"]: row["value"] for row in gauge["rows"]}


async def post(sandbox: Sandbox, owner: Visitor) -> tuple[int, str]:
    url = f"{sandbox.api_url}/channels/{sandbox.channel_ids['gex-spx']}/messages"
    headers = {"Authorization": f"Bot {sandbox.token}"}
    async with owner.http.post(url, json={"content": "x"}, headers=headers) as response:
        return response.status, response.content_type


async def test_calls_buckets_and_news_are_told(sandbox: Sandbox, owner: Visitor) -> None:
    await post(sandbox, owner)
    assert (await rows(sandbox, "Discord: REST calls"))["posts"] == 1
    buckets = {"all calls of a second": "1 of 50", "create message #gex-spx": "1 of 5"}
    assert await rows(sandbox, "Discord: buckets") == buckets
    assert list(await rows(sandbox, "News in the channels")) == ["#gex-spx"]
    assert (await rows(sandbox, "Discord: gateway"))["connected"] == "no"


@pytest.mark.parametrize(
    ("lever", "answer"),
    [("429", (429, "application/json")), ("5xx", (503, "application/json")), ("ban_page", (429, "text/html"))],
)
async def test_calls_fail_as_the_button_says_and_work_again_afterwards(
    sandbox: Sandbox, owner: Visitor, lever: str, answer: tuple[int, str]
) -> None:
    await sandbox.backstage.pull(lever)
    assert await post(sandbox, owner) == answer
    await sandbox.backstage.let_go()
    assert await post(sandbox, owner) == (200, "application/json")
