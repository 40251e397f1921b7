"""Where the orders of `/feed` are kept, for every process and restart, and what this process knows of them."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from bot.servers.orders import BoardOrder, orders_of, read_order
from streaming.bus import keys
from streaming.bus.redis_connection import answering

_LOG: Final = logging.getLogger(__name__)
_VERSION: Final = "version"
_REPOST: Final = "repost:"
_GONE: Final = "gone:"


@dataclass(frozen=True, slots=True)
class KeptOrders:
    """Everything that is kept, at one version."""

    version: int = -1
    orders: tuple[BoardOrder, ...] = ()
    reposts: Mapping[int, int] = field(default_factory=dict)
    """Channel → when a new message was asked for, in ms."""
    gone: Mapping[int, int] = field(default_factory=dict)
    """Channel → since when it, or its server, is not to be found, in ms."""


class OrderStore:
    """One hash: orders by channel id, and beside them what else is known of a channel; each change counts a version.

    Methods raise TransientError while Redis is away.
    """

    def __init__(self, redis: Redis, *, key: str = keys.FEED_ORDERS) -> None:
        self._redis = redis
        self._key = key

    async def version(self) -> int:
        """Counts the changes."""
        async with answering("looking for changes of live messages"):
            return int(await self._redis.hget(self._key, _VERSION) or 0)

    async def load(self) -> KeptOrders:
        """Everything; an order that cannot be read is left alone and counts as none."""
        async with answering("reading the orders of live messages"):
            found: Any = await self._redis.hgetall(self._key)
        fields: dict[str, bytes] = {name.decode(): value for name, value in found.items()}
        return KeptOrders(
            version=int(fields.get(_VERSION, 0)),
            orders=tuple(order for name in sorted(fields) if (order := _order(name, fields[name])) is not None),
            reposts=_numbers(fields, _REPOST),
            gone=_numbers(fields, _GONE),
        )

    async def put(self, *orders: BoardOrder) -> None:
        """Keep these in place of what was kept of their channels."""
        await self._change({str(order.channel_id): msgspec.json.encode(order) for order in orders})

    async def remove(self, *channel_ids: int) -> None:
        """Forget these channels."""
        names = [f"{prefix}{channel_id}" for channel_id in channel_ids for prefix in ("", _REPOST, _GONE)]
        await self._change({}, names)

    async def move(self, order: BoardOrder, *, instead_of: int, leaves: BoardOrder | None = None) -> None:
        """Keep an order for another channel, at once; `leaves` is what is kept of the one it was for."""
        kept = {str(one.channel_id): msgspec.json.encode(one) for one in (order, leaves) if one is not None}
        await self._change(kept, [] if leaves is not None else [str(instead_of)])

    async def ask_repost(self, channel_id: int, at_ms: int) -> None:
        """Have a new message posted in a channel, whoever writes there."""
        await self._change({f"{_REPOST}{channel_id}": at_ms})

    async def note_gone(self, gone: Mapping[int, int], back: list[int]) -> None:
        """Remember since when channels are gone, and forget it of those that are back."""
        await self._change(
            {f"{_GONE}{channel_id}": since for channel_id, since in gone.items()}, [f"{_GONE}{one}" for one in back]
        )

    async def _change(self, values: Mapping[str, Any], gone: list[str] | None = None) -> None:
        named: dict[Any, Any] = dict(values)
        async with answering("storing the orders of live messages"), self._redis.pipeline(transaction=True) as pipeline:
            if gone:
                pipeline.hdel(self._key, *gone)
            if values:
                pipeline.hset(self._key, mapping=named)
            pipeline.hincrby(self._key, _VERSION, 1)
            await pipeline.execute()


class FeedOrders:
    """Every live message that is wanted, as this process knows: the settings' own until the store was read."""

    def __init__(self, named: Mapping[int, BoardOrder], store: OrderStore | None = None) -> None:
        """`named` are those of the settings; without a store there are no others."""
        self._named = dict(named)
        self._store = store
        self.kept = KeptOrders()
        self.current: Mapping[int, BoardOrder] = dict(named)
        """By channel."""
        self.changed = asyncio.Event()
        """Set when something here is new to whoever keeps the messages."""

    @property
    def known(self) -> bool:
        """Whether the store was read."""
        return self._store is None or self.kept.version >= 0

    @property
    def store(self) -> OrderStore | None:
        """Where they are kept."""
        return self._store

    def named(self, channel_id: int) -> BoardOrder | None:
        """What the settings say of a channel."""
        return self._named.get(channel_id)

    def shows(self, ticker: str) -> bool:
        """Whether a live message shows a ticker."""
        return any(ticker in order.tickers for order in self.current.values())

    async def look(self) -> None:
        """Take over what another process changed; TransientError while Redis is away."""
        if self._store is None or (self.known and await self._store.version() == self.kept.version):
            return
        self.kept = await self._store.load()
        self.current = orders_of(self._named, self.kept.orders, self.kept.reposts)
        self.changed.set()


def _order(name: str, payload: bytes) -> BoardOrder | None:
    if not name.isdecimal():
        return None
    order = read_order(payload)
    if order is None:
        _LOG.warning("the order of channel %s was written by another version of the program and is left alone", name)
    return order


def _numbers(fields: Mapping[str, bytes], prefix: str) -> dict[int, int]:
    found = {name.removeprefix(prefix): value for name, value in fields.items() if name.startswith(prefix)}
    return {int(name): int(value) for name, value in found.items() if name.isdecimal() and value.isdigit()}
