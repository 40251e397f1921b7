"""Who sees that the bot is well: everybody, by a line in the member list."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import aiohttp
import discord

from bot.feed.schedule import decide_about
from bot.render.numbers import age
from bot.render.origin_words import live_word, origin_words
from streaming.calendar import new_york
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.freshness import Freshness, data_age_s, freshness
from streaming.model import GexSnapshot
from streaming.ports import Progress

log = logging.getLogger(__name__)
EVERY_S: Final = 20.0
"""Three a minute: Discord takes five."""
_READ_S: Final = 2.0
_LONGEST: Final = 128
Latest = Callable[[str], Awaitable[GexSnapshot | None]]


class Presence:
    """Keeps the line current until cancelled; nothing of it disturbs the feed."""

    def __init__(self, bot: discord.Client, latest: Latest, ticker: str, clock: Clock, *, force: bool) -> None:
        self._bot = bot
        self._latest = latest
        self._ticker = ticker
        self._clock = clock
        self._force = force

    async def run(self, progress: Progress) -> None:
        """Show it every 20 seconds."""
        while True:
            snapshot = await self._read()
            if await self._show(presence_text(self._ticker, snapshot, self._clock.now(), force=self._force)):
                progress()
            await self._clock.sleep(EVERY_S)

    async def _read(self) -> GexSnapshot | None:
        try:
            async with asyncio.timeout(_READ_S):
                return await self._latest(self._ticker)
        except (GexcordError, TimeoutError) as error:
            log.debug("the presence has no figures: %s", error)
            return None

    async def _show(self, text: str) -> bool:
        """False while Discord's gateway is away."""
        if not self._bot.is_ready() or self._bot.is_closed():
            return False
        try:
            await self._bot.change_presence(activity=discord.CustomActivity(name=text))
        except (discord.ConnectionClosed, aiohttp.ClientError, OSError, AttributeError) as error:
            # discord.py has no socket between two connections, and says so by an AttributeError
            log.debug("the presence was not set (%s)", type(error).__name__)
            return False
        return True


def presence_text(ticker: str, snapshot: GexSnapshot | None, now: datetime, *, force: bool) -> str:
    """`SPX live, 1s old`, `SPX closed until Mon 09:35 New York`, `SPX: no data`; made-up and replayed ones say so."""
    decision = decide_about(snapshot, now, force=force)
    if not decision.is_open and decision.until is not None:
        return f"{ticker} closed until {new_york(decision.until):%a %H:%M} New York"
    if snapshot is None:
        return f"{ticker}: no data"
    age_s = data_age_s(snapshot, now)
    found = freshness(snapshot, now)
    state = live_word(snapshot) if found is Freshness.LIVE else str(found)
    old = "" if found is Freshness.AHEAD else f", {age(max(age_s, 0.0))} old"
    origin = origin_words(snapshot)
    return f"{'' if origin is None else f'{origin} · '}{ticker} {state}{old}"[:_LONGEST]
