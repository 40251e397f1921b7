from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.sandbox.local_discord import Sandbox
from bot.sandbox.visitor.backstage import Backstage, Gauge, GaugeLine, Lever
from bot.sandbox.world.api_errors import ApiError
from bot.sandbox.world.records import Message
from bot.sandbox.world.world import World
from tests.support.clock import ManualClock

CHANNELS = ("one", "two")


class Stage:
    """A panel with one lever that lasts until it is let go."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.world = World(CHANNELS, self.clock)
        self.panel = Backstage(self.world)
        self.deeds: list[str] = []
        self.panel.add(Lever("halt", "Halt", "Stands still.", self._hold, 5.0))

    @asynccontextmanager
    async def _hold(self) -> AsyncIterator[None]:
        self.deeds.append("begins")
        try:
            yield
        finally:
            self.deeds.append("ends")

    def news(self, name: str) -> None:
        """The bot posts in a channel."""
        channel = next(channel for channel in self.world.channels.values() if channel.name == name)
        world = self.world
        world.post(Message(world.snowflakes.next(), channel.id, world.bot, "x", self.clock.now()))

    async def trial(self) -> dict[str, Any]:
        return (await self.panel.facts())["trials"][0]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_trouble_lasts_until_all_is_let_go_and_only_once_at_a_time(stage: Stage) -> None:
    await stage.panel.pull("halt")
    assert (await stage.panel.facts())["levers"][0]["on"]
    with pytest.raises(ApiError, match="still going on"):
        await stage.panel.pull("halt")
    await stage.panel.let_go()
    assert stage.deeds == ["begins", "ends"]
    assert not (await stage.panel.facts())["levers"][0]["on"]


async def test_a_trial_is_over_when_the_last_channel_that_was_live_has_news(stage: Stage) -> None:
    stage.news("one")
    stage.news("two")
    await stage.panel.pull("halt")
    stage.news("one")  # during the trouble
    await stage.panel.let_go()
    stage.clock.advance(2.0)
    stage.news("one")
    assert (await stage.trial())["news_after_s"] is None
    stage.clock.advance(1.0)
    stage.news("two")
    assert (await stage.trial())["news_after_s"] == 3.0


async def test_a_channel_that_was_silent_before_is_not_waited_for(stage: Stage) -> None:
    stage.news("two")
    stage.clock.advance(120.0)
    stage.news("one")
    await stage.panel.pull("halt")
    await stage.panel.let_go()
    stage.news("one")
    assert (await stage.trial())["news_after_s"] == 0.0


async def test_what_cannot_be_done_is_no_trial(stage: Stage) -> None:
    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        raise ApiError(409, 0, "There is none.")
        yield

    stage.panel.add(Lever("none", "None", "Nothing.", hold))
    with pytest.raises(ApiError, match="There is none"):
        await stage.panel.pull("none")
    assert (await stage.panel.facts())["trials"] == []


async def test_gauges_are_told_in_their_order_with_what_they_read(stage: Stage) -> None:
    async def read() -> Sequence[GaugeLine]:
        return (GaugeLine("calls", 3, counts=True),)

    stage.panel.add(Gauge("Mine", read))
    rows = [{"name": "calls", "value": 3, "counts": True}]
    assert (await stage.panel.facts())["gauges"] == [{"title": "Mine", "rows": rows}]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"data": {"name": "gateway"}}, 415),
        ({"json": {"name": "dance"}}, 404),
        ({"json": {}}, 200),
        ({"json": {}, "headers": {"Origin": "http://elsewhere.example"}}, 403),
        ({"json": {}, "headers": {"Host": "elsewhere.example"}}, 403),
    ],
)
async def test_only_the_page_makes_trouble(sandbox: Sandbox, sent: dict[str, Any], status: int) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{sandbox.page_url}api/page/trouble", **sent) as response,
    ):
        assert response.status == status
