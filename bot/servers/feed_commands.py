"""What `/feed` may do: order a live message for a channel, change it, move it, rest it, take it away."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from msgspec.structs import replace

from bot.servers.order_store import FeedOrders, OrderStore
from bot.servers.orders import BoardOrder
from bot.settings import MOST_TICKERS
from streaming.clock import Clock, epoch_ms
from streaming.errors import RequestError
from streaming.symbols import Ticker

Admit = Callable[[Ticker], Awaitable[None]]
"""Raises RequestError for a ticker that no live message may show."""
_NONE_THERE: Final = "/feed add creates one."


class FeedCommands:
    """The live messages of every server as commands see them; methods raise TransientError while Redis is away.

    Whoever calls has seen to it that the person may manage the server that the channels are in.
    """

    def __init__(self, orders: FeedOrders, clock: Clock, *, per_server: int, admit: Admit) -> None:
        self._orders = orders
        self._clock = clock
        self._per_server = per_server
        self._admit = admit

    async def add(self, channel_id: int, guild_id: int, tickers: Sequence[Ticker], **said: Any) -> BoardOrder:
        """Order a live message, by the fields of `BoardOrder`; RequestError where there is one, or one too many."""
        await self._store_read()
        if self._orders.current.get(channel_id) is not None:
            raise RequestError(
                f"There is a live message in <#{channel_id}> already.", remedy="/feed set changes what it shows."
            )
        mine = sum(order.guild_id == guild_id for order in self._orders.current.values())
        if mine >= self._per_server:
            raise RequestError(
                f"This server has {mine} live messages, and the operator allows {self._per_server}.",
                remedy="Remove one with /feed remove.",
            )
        order = BoardOrder(channel_id=channel_id, tickers=await self._names(tickers), guild_id=guild_id)
        return await self._keep(replace(order, **_given(said)))

    async def change(self, channel_id: int, guild_id: int, tickers: Sequence[Ticker] = (), **said: Any) -> BoardOrder:
        """Change what is given and leave the rest; RequestError where there is no live message."""
        order = await self._there(channel_id)
        names = await self._names(tickers) if tickers else order.tickers
        return await self._keep(replace(order, guild_id=guild_id, tickers=names, **_given(said)))

    async def move(self, channel_id: int, to: int, guild_id: int) -> BoardOrder:
        """Let the message go on in another channel; one that the settings name rests where it was."""
        order = await self._there(channel_id)
        if to in self._orders.current:
            raise RequestError(f"There is a live message in <#{to}> already.", remedy="Remove that one first.")
        moved = replace(order, channel_id=to, guild_id=guild_id, reposted_ms=0)
        named = self._orders.named(channel_id)
        leaves = None if named is None else replace(named, guild_id=guild_id, paused=True)
        await self._store.move(moved, instead_of=channel_id, leaves=leaves)
        await self._orders.look()
        return moved

    async def remove(self, channel_id: int) -> BoardOrder | None:
        """Forget what was said of a channel; what the settings say of it, which counts again, None without that.

        RequestError where nothing was said.
        """
        order = await self._there(channel_id)
        if order.guild_id is None:
            raise RequestError(
                f"The settings of this bot name <#{channel_id}>, which only its operator can change.",
                remedy="/feed pause pauses the message.",
            )
        await self._store.remove(channel_id)
        await self._orders.look()
        return self._orders.named(channel_id)

    async def repost(self, channel_id: int) -> BoardOrder:
        """Have the message replaced by a new one at the bottom of its channel; RequestError for one that rests."""
        order = await self._there(channel_id)
        if order.paused:
            raise RequestError(f"The live message in <#{channel_id}> is paused.", remedy="/feed resume starts it.")
        await self._store.ask_repost(channel_id, epoch_ms(self._clock.now()))
        await self._orders.look()
        return order

    @property
    def _store(self) -> OrderStore:
        store = self._orders.store
        if store is None:
            raise RequestError("Only the settings decide about live messages here.")
        return store

    async def _store_read(self) -> None:
        if self._per_server == 0:
            raise RequestError("The operator of this bot keeps the live messages (GEX_FEED_PER_SERVER is 0).")
        await self._orders.look()

    async def _there(self, channel_id: int) -> BoardOrder:
        await self._store_read()
        order = self._orders.current.get(channel_id)
        if order is None:
            raise RequestError(f"There is no live message in <#{channel_id}>.", remedy=_NONE_THERE)
        return order

    async def _keep(self, order: BoardOrder) -> BoardOrder:
        await self._store.put(replace(order, reposted_ms=0))
        await self._orders.look()
        return order

    async def _names(self, tickers: Sequence[Ticker]) -> tuple[str, ...]:
        if not 0 < len(tickers) <= MOST_TICKERS:
            raise RequestError(f"A live message shows 1 to {MOST_TICKERS} tickers.")
        for ticker in tickers:
            await self._admit(ticker)
        return tuple(dict.fromkeys(ticker.name for ticker in tickers))


def _given(said: dict[str, Any]) -> dict[str, Any]:
    """What was said; 0 takes a role away."""
    given = {name: value for name, value in said.items() if value is not None}
    if given.get("alert_role_id") == 0:
        given["alert_role_id"] = None
    return given
