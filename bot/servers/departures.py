"""Orders for channels that are no more: forgotten when a channel, or its server, has been gone for a day."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import discord

from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from bot.wire.answers import FAILURES
from bot.wire.verdicts import json_code
from streaming.bus.notes import Notes
from streaming.clock import Clock, epoch_ms
from streaming.errors import TransientError
from streaming.ports import Progress, Tell

_LOG: Final = logging.getLogger(__name__)
GRACE: Final = timedelta(hours=24)
"""A server that invites the bot again, or a channel that was hidden by mistake, finds its message as it was."""
_LOOK_EVERY_S: Final = 600.0
_UNKNOWN_CHANNEL: Final = 10003


@dataclass(frozen=True, slots=True)
class Judged:
    """What a look at the channels amounts to."""

    gone: Mapping[int, int]
    """Newly gone, with the hour in ms."""
    back: list[int]
    over: list[int]
    """Gone for longer than the grace."""


def judge(known: Mapping[int, int], missing: Collection[int], there: Collection[int], now_ms: int) -> Judged:
    """By what is `known` to be gone since when; a channel of which nobody can tell is in neither list."""
    limit_ms = now_ms - GRACE // timedelta(milliseconds=1)
    return Judged(
        gone={channel_id: now_ms for channel_id in missing if channel_id not in known},
        back=sorted(set(there) & known.keys()),
        over=sorted(channel_id for channel_id in missing if known.get(channel_id, now_ms) <= limit_ms),
    )


class Departures:
    """Looks every ten minutes whether the channels of `/feed` are still there."""

    def __init__(  # noqa: PLR0917  # the parts in reading order
        self,
        client: discord.Client,
        orders: FeedOrders,
        store: OrderStore,
        told: Notes,
        clock: Clock,
        tell: Tell,
        *,
        hears_of: Callable[[int], bool],
    ) -> None:
        """`told` remembers for all processes what operators were told; `hears_of` says of a server whether Discord
        would tell this process if the bot were in it.
        """
        self._hears_of = hears_of
        self._client = client
        self._orders = orders
        self._store = store
        self._told = told
        self._clock = clock
        self._tell = tell

    async def run(self, progress: Progress) -> None:
        """Look until cancelled; while Redis is away nothing is decided."""
        while True:
            await self._clock.sleep(_LOOK_EVERY_S)
            try:
                await self.look()
            except TransientError as error:
                _LOG.debug("Whether channels are gone was not looked at: %s", error.sentence)
            progress()

    async def look(self) -> None:
        """One look; TransientError while Redis is away."""
        if not self._client.is_ready():
            return
        await self._orders.look()
        orders = {order.channel_id: order for order in self._orders.kept.orders}
        missing, there = await self._missing(orders.values())
        judged = judge(self._orders.kept.gone, missing, there, epoch_ms(self._clock.now()))
        if judged.gone or judged.back:
            await self._store.note_gone(judged.gone, judged.back)
        for channel_id in judged.over:
            await self._store.remove(channel_id)
            await self._say(orders[channel_id])
        await self._orders.look()

    async def _missing(self, orders: Iterable[BoardOrder]) -> tuple[list[int], list[int]]:
        """Which channels are gone for certain, and which are there for certain."""
        missing: list[int] = []
        there: list[int] = []
        for order in orders:
            found = await self._is_there(order)
            if found is not None:
                (there if found else missing).append(order.channel_id)
        return missing, there

    async def _is_there(self, order: BoardOrder) -> bool | None:
        """None where that cannot be told now, or is another process's shard to tell."""
        guild_id = order.guild_id or 0
        guild = self._client.get_guild(guild_id)
        if guild is None:
            return False if self._hears_of(guild_id) else None
        if guild.unavailable:
            return None
        if guild.get_channel_or_thread(order.channel_id) is not None:
            return True
        try:
            await self._client.fetch_channel(order.channel_id)
        except discord.NotFound as error:
            return False if json_code(error) == _UNKNOWN_CHANNEL else None
        except (*FAILURES, discord.InvalidData):
            return None
        return True

    async def _say(self, order: BoardOrder) -> None:
        _LOG.info("the order of channel %s is forgotten: it has been gone for a day", order.channel_id)
        if await self._told.claim(f"gone {order.channel_id}", ttl=GRACE):
            self._tell(
                f"Channel {order.channel_id} of server {order.guild_id}, or the bot's place in it, has been gone for a "
                f"day: its live message ({', '.join(order.tickers)}) is forgotten. /feed add sets it again."
            )
