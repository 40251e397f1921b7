"""Price and regime where nobody has to open a channel: in the bot's nickname, and in the names of channels."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Final

import discord

from bot.feed.schedule import decide_about
from bot.render.numbers import price
from bot.render.origin_words import origin_words
from bot.wire.answers import calling
from bot.wire.verdicts import json_code, passing, verdict_of
from streaming.clock import Clock
from streaming.errors import GexcordError, OperatorError
from streaming.freshness import is_stale
from streaming.gex.results.standing import standing
from streaming.model import GexSnapshot
from streaming.ports import Progress, Tell

_LOG: Final = logging.getLogger(__name__)
EVERY_S: Final = 301.0
"""Discord lets a channel be renamed twice in ten minutes. The first time comes after as long, so that restarts, too,
stay within that."""
_CALL_S: Final = 15.0
_READ_S: Final = 5.0
_LACKS_PERMISSION: Final = 50013
_APART_S: Final = 1.0
"""Between two names, so that many servers are no burst beside the live messages."""
LONGEST: Final = 32
"""Of a nickname; a channel's name may be longer."""
Latest = Callable[[str], Awaitable[GexSnapshot | None]]


def plate_text(ticker: str, snapshot: GexSnapshot | None, now: datetime, *, force: bool) -> str:
    """`SPX 6900 amplified`, in whole points; a price that is not of now is none: `SPX closed`, `SPX no live data`."""
    if not decide_about(snapshot, now, force=force).is_open:
        return f"{ticker} closed"
    if snapshot is None or is_stale(snapshot, now):
        return f"{ticker} no live data"
    made_up = "" if origin_words(snapshot) is None else "SIM " if snapshot.replay is None else "REPLAY "
    return f"{made_up}{ticker} {price_and_regime(snapshot, 0)}"[:LONGEST]


def price_and_regime(snapshot: GexSnapshot, decimals: int) -> str:
    """`6900.25 amplified`; the regime by open interest, left out where nobody knows it."""
    regime = standing(snapshot, None, "oi").regime
    return f"{price(snapshot.spot, decimals)}{'' if regime is None else f' {regime}'}"


class NamePlates:
    """Keeps the names current that are this process's to keep; nothing of it disturbs the live messages."""

    def __init__(
        self,
        bot: discord.Client,
        latest: Latest,
        clock: Clock,
        *,
        channels: Mapping[int, str],
        nickname: str | None,
        force: bool,
        leads: Callable[[], bool],
        keeps: Callable[[int], bool],
        tell: Tell,
    ) -> None:
        """`channels` are ids and what ticker each is named by, `nickname` the ticker that the bot is called by.

        `leads` says whether this process names channels, `keeps` of a server whether it names the bot there.
        """
        self._bot = bot
        self._latest = latest
        self._clock = clock
        self._channels = channels
        self._nickname = nickname
        self._force = force
        self._leads = leads
        self._keeps = keeps
        self._tell = tell
        self._names: dict[int, str] = {}
        self._told: set[int] = set()

    async def run(self, progress: Progress) -> None:
        """Rename what changed, every five minutes, until cancelled."""
        while True:
            await self._clock.sleep(EVERY_S)
            if self._bot.is_ready():
                await self.rename()
                progress()

    async def rename(self) -> None:
        """Every name of ours once, where it is another than before."""
        for channel_id, ticker in self._channels.items() if self._leads() else ():
            text = await self._text(ticker)
            edit = partial(self._bot.http.edit_channel, channel_id, name=text)
            await self._name(channel_id, f"channel {channel_id}", text, edit, needs="Manage Channels")
        if self._nickname is not None:
            text = await self._text(self._nickname)
            for guild in [guild for guild in self._bot.guilds if self._keeps(guild.id)]:
                call = partial(guild.me.edit, nick=text)
                await self._name(guild.id, f"server {guild.name}", text, call, needs="Change Nickname")

    async def _name(
        self, place_id: int, place: str, text: str, edit: Callable[[], Awaitable[object]], *, needs: str
    ) -> None:
        if self._names.get(place_id) == text:
            return
        try:
            async with calling(self._bot, within_s=_CALL_S, translate=partial(_trouble, place=place, needs=needs)):
                await edit()
        except GexcordError as error:
            self._failed(place_id, error)
        else:
            self._names[place_id] = text
            self._told.discard(place_id)
        await self._clock.sleep(_APART_S)

    def _failed(self, place_id: int, error: GexcordError) -> None:
        _LOG.debug("a name stays as it was: %s", error)
        if isinstance(error, OperatorError) and place_id not in self._told:
            self._told.add(place_id)
            self._tell(f"A name with the price stays as it was: {error.sentence}")

    async def _text(self, ticker: str) -> str:
        snapshot = None
        try:
            async with asyncio.timeout(_READ_S):
                snapshot = await self._latest(ticker)
        except (GexcordError, TimeoutError) as error:
            _LOG.debug("a name has no figures: %s", error)
        return plate_text(ticker, snapshot, self._clock.now(), force=self._force)


def _trouble(error: Exception, *, place: str, needs: str) -> GexcordError:
    if not isinstance(error, discord.HTTPException) or (verdict := verdict_of(error)) is None:
        return passing(error)
    if json_code(error) == _LACKS_PERMISSION:
        return OperatorError(f"The bot may not change it in {place}. Give it {needs} there.")
    return verdict.error(place)
