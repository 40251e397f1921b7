"""The fault matrix on the local Discord: each fault alone in its channel, over real discord.py and real HTTP."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import discord

from bot.feed.board import Board, BoardPlan
from bot.feed.channel import DiscordChannel
from bot.feed.window import Slot
from bot.sandbox.local_discord import Sandbox
from bot.sandbox.rest.faults import Trouble
from streaming.symbols import parse_ticker
from tests.support.discord_wire import live_bot
from tests.support.feed import OPEN_AT, DictLedger, Keeper, snapshot, without_colours

FASTER: Final = 2.0
"""The boards' seconds pass so much faster; those that discord.py would sleep do not."""
LASTS_S: Final = 4.2
WITHIN_S: Final = 3.0
FAULTS: Final[Mapping[str, Trouble]] = {
    "429": Trouble(429, retry_after_s=0.3),
    "500": Trouble(500),
    "502 page": Trouble(502, shape="page"),
    "503": Trouble(503),
    "504": Trouble(504),
    "524 page": Trouble(524, shape="page"),
    "ban page": Trouble(429, shape="page", via=False, retry_after_s=None),
    "denied page": Trouble(403, shape="page"),
    "page instead of the message": Trouble(200, shape="page"),
    "half an answer": Trouble(200, shape="broken"),
    "hung": Trouble(503, hang_s=0.4),
    "cut off": Trouble(cut=True),
    "answer lost": Trouble(503, late=True),
}


class FastClock:
    """A clock of the running loop, from the open of a session on."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def now(self) -> datetime:
        return OPEN_AT + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (self._loop.time() - self._began_s) * FASTER

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / FASTER)


class Market:
    """Figures that are new four times a second, and what is shown of them in each channel."""

    def __init__(self, sandbox: Sandbox, clock: FastClock) -> None:
        self.slot = Slot(60)
        self.newest = 20_000
        self._sandbox = sandbox
        self._clock = clock

    async def run(self) -> None:
        while True:
            self.newest += 1
            self.slot.put(snapshot(self._clock.now(), ticker="SPX", spot=float(self.newest)))
            await self._clock.sleep(0.25)

    def shown(self) -> dict[int, list[int]]:
        """The prices on the messages of each channel."""
        found: dict[int, list[int]] = {}
        for message in self._sandbox.world.messages():
            price = re.search(r"SPX +(\d+)", without_colours(message.content))
            found.setdefault(message.channel_id, []).append(int(price[1]) if price else 0)
        return found

    async def news_after(self, channels: Mapping[str, int], within_s: float) -> dict[str, float]:
        """How long it takes until each channel shows one message, with figures of from now on; else `within_s`."""
        began_s, newest, found = self._clock.monotonic(), self.newest, dict.fromkeys(channels, within_s)
        while within_s in found.values() and self._clock.monotonic() < began_s + within_s:
            shown = self.shown()
            for name, channel_id in channels.items():
                prices = shown.get(channel_id, [])
                if found[name] == within_s and len(prices) == 1 and prices[0] > newest:
                    found[name] = self._clock.monotonic() - began_s
            await asyncio.sleep(0.01)
        return found

    async def late(self, channels: Mapping[str, int]) -> dict[str, float]:
        """The channels that have no news in time, and after how long they had."""
        took_s = await self.news_after(channels, 2 * WITHIN_S)
        return {name: each_s for name, each_s in took_s.items() if each_s > WITHIN_S}


def board(bot: discord.Client, channel_id: int, slot: Slot, clock: FastClock) -> Board:
    keeper = Keeper(channel_id, DiscordChannel(bot, channel_id), DictLedger(), clock)
    return Board(
        channel_id,
        parse_ticker("SPX"),
        slot=slot,
        message=keeper.message,
        plan=BoardPlan(update_s=FASTER, refresh_minutes=60),
        clock=clock,
        rng=random.Random(channel_id),
        tell=lambda _sentence: None,
    )


@asynccontextmanager
async def boards() -> AsyncIterator[tuple[Sandbox, Market, dict[str, int], FastClock]]:
    """A board that stands in a channel for each fault."""
    async with live_bot() as (sandbox, bot, _), asyncio.TaskGroup() as group:
        clock = FastClock()
        market = Market(sandbox, clock)
        channels = {name: sandbox.add_channel(f"fault {number}") for number, name in enumerate(FAULTS)}
        writers = [board(bot, channel_id, market.slot, clock) for channel_id in channels.values()]
        tasks = [group.create_task(job) for job in (market.run(), *(writer.run() for writer in writers))]
        await market.news_after(channels, 20.0)
        yield sandbox, market, channels, clock
        for writer in writers:
            writer.hand_over()
        for task in tasks:
            task.cancel()


async def test_after_each_fault_alone_a_board_shows_the_newest_figures_within_three_seconds():
    async with boards() as (sandbox, market, channels, clock):
        before = market.newest
        for name, channel_id in channels.items():
            sandbox.fail(FAULTS[name], channel_id=channel_id)
        await clock.sleep(LASTS_S)
        shown = market.shown()
        passed = [name for name, channel_id in channels.items() if max(shown[channel_id]) > before]
        sandbox.faults.clear()
        assert await market.late(channels) == {}
        assert passed == ["answer lost"], "every other fault kept new figures from its channel"
        sandbox.gateway.abort_all()
        assert await market.late(channels) == {}
