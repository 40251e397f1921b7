"""Which live messages there are: those of the settings, and what the admins of servers said with `/feed`. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from bot.choices import Choices
from bot.settings import BotSettings
from streaming.errors import RequestError
from streaming.symbols import Ticker, parse_ticker

SCHEMA: Final = 1


class BoardOrder(Choices, frozen=True, kw_only=True, omit_defaults=True):
    """What one channel is to show, and how."""

    channel_id: int
    tickers: tuple[str, ...]
    guild_id: int | None = None
    """The server whose admin said so; None for a channel of the settings."""
    alert_role_id: int | None = None
    """The one role that an alert in this channel may ping."""
    paused: bool = False
    reposted_ms: int = 0
    """When somebody last asked for a new message; kept beside the order, whoever gave that."""
    v: int = SCHEMA

    @property
    def origin(self) -> str:
        """Who says so, after "by"."""
        return "the settings" if self.guild_id is None else "/feed"

    @property
    def instruments(self) -> tuple[Ticker, ...]:
        """What its tickers are made of."""
        return tuple(parse_ticker(name) for name in self.tickers)


def settings_orders(settings: BotSettings) -> dict[int, BoardOrder]:
    """One order for each channel that the settings name."""
    chosen, nothing = settings.choices, Choices()
    return {
        channel_id: BoardOrder(
            channel_id=channel_id,
            tickers=tuple(ticker.name for ticker in tickers),
            **msgspec.structs.asdict(chosen.get(channel_id, nothing)),
        )
        for channel_id, tickers in settings.boards.items()
    }


def orders_of(
    named: Mapping[int, BoardOrder], said: Iterable[BoardOrder], reposts: Mapping[int, int]
) -> dict[int, BoardOrder]:
    """All orders by channel: of a channel that the settings name too, what was said with `/feed` counts."""
    orders = dict(named) | {order.channel_id: order for order in said}
    for channel_id in reposts.keys() & orders.keys():
        orders[channel_id] = msgspec.structs.replace(orders[channel_id], reposted_ms=reposts[channel_id])
    return orders


@dataclass(frozen=True, slots=True)
class Manner:
    """How loudly something is posted."""

    silent: bool
    role_id: int | None = None
    """The one role that it pings."""


def manner_of_reposts(order: BoardOrder | None, settings: BotSettings) -> Manner:
    """Of the live message of a channel; one without marks is replaced by the clock alone, which is no news."""
    chosen = None if order is None else order.silent
    unmarked = order is not None and order.refresh_minutes == 0
    return Manner(silent=unmarked or (settings.gex_feed_silent if chosen is None else chosen))


def manner_of_alerts(order: BoardOrder | None, settings: BotSettings) -> Manner:
    """Of alerts in a channel, or by direct message without an order; a role is not called without a sound."""
    if order is not None and order.alert_role_id is not None:
        return Manner(silent=False, role_id=order.alert_role_id)
    chosen = None if order is None else order.silent
    return Manner(silent=settings.alerts_silent if chosen is None else chosen)


def is_only_reposted(before: BoardOrder, after: BoardOrder) -> bool:
    """Whether nothing is new but that a new message is wanted."""
    return before == msgspec.structs.replace(after, reposted_ms=before.reposted_ms)


def read_order(payload: bytes) -> BoardOrder | None:
    """A kept order; None for one of a later version, or that cannot be read."""
    try:
        order = msgspec.json.decode(payload, type=BoardOrder)
        readable = order.v <= SCHEMA and bool(order.instruments) and order.guild_id is not None
    except (msgspec.MsgspecError, RequestError):
        return None
    return order if readable else None
