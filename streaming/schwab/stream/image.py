"""What is known of one symbol in one service: the last full image with every change since laid over it. Pure."""

from datetime import datetime
from typing import Final

from msgspec import UNSET, UnsetType

from streaming.clock import instant_of
from streaming.model import OptionQuote
from streaming.schwab.wire import rows
from streaming.schwab.wire.values import (
    FIRST_MS,
    LARGEST_COUNT,
    LARGEST_PRICE,
    LAST_MS,
    NO_VALUE,
    count,
    instant_ms,
    price,
    volatility,
)

_INSTANTS_KEPT: Final = 4096
ZERO: Final = 0.0
ANY: Final = -LARGEST_PRICE
"""What the prices of a kind are above (`values.price`, `values.signed_price`)."""


class Image:
    """The known values of a symbol, in our own terms; None means unknown.

    An `overlay…` takes over what a row names, keeps the rest, and returns the event time: the newer of the times
    that changed, else the newest known, else 0 (specs/schwab-wire.md §2.5, rule 5).
    """

    __slots__ = (
        "ask", "ask_size", "bid", "bid_size", "delayed", "event_ms", "last", "last_size", "open_interest",
        "underlying_price", "volatility", "volume",
    )  # fmt: skip

    def __init__(self, delayed: bool | UnsetType | None = None) -> None:
        """Of a symbol whose full image said, or did not, that its quotes are `delayed`."""
        self.delayed = None if delayed is UNSET else delayed
        self.bid: float | None = None
        self.ask: float | None = None
        self.last: float | None = None
        self.bid_size: int | None = None
        self.ask_size: int | None = None
        self.volume: int | None = None
        self.last_size: int | None = None
        self.event_ms = 0
        """The newest quote or trade known."""
        self.open_interest: int | None = None
        self.volatility: float | None = None
        self.underlying_price: float | None = None

    def overlay(self, row: rows.LevelOneRow, above: float) -> int:  # noqa: C901 - see below
        """A row whose prices are greater than `above`: ZERO for shares, ANY for options and futures.

        The rules of `values.price`, `count` and `instant_ms` stand in place: most of the stream's rows come through
        here, and what is called for each field costs more than the field.
        """
        if (cost := row.bid) is not UNSET:
            self.bid = cost if cost is not None and cost > above and cost != NO_VALUE else None
        if (cost := row.ask) is not UNSET:
            self.ask = cost if cost is not None and cost > above and cost != NO_VALUE else None
        if (cost := row.last) is not UNSET:
            self.last = cost if cost is not None and cost > above and cost != NO_VALUE else None
        if (size := row.bid_size) is not UNSET:
            self.bid_size = size if type(size) is int and 0 <= size < LARGEST_COUNT else count(size)
        if (size := row.ask_size) is not UNSET:
            self.ask_size = size if type(size) is int and 0 <= size < LARGEST_COUNT else count(size)
        if (size := row.volume) is not UNSET:
            self.volume = size if type(size) is int and 0 <= size < LARGEST_COUNT else count(size)
        if (size := row.last_size) is not UNSET:
            self.last_size = size if type(size) is int and 0 <= size < LARGEST_COUNT else count(size)
        changed = 0
        if (time := row.quote_ms) is not UNSET:
            changed = time if type(time) is int and FIRST_MS < time < LAST_MS else instant_ms(time)
        if (time := row.trade_ms) is not UNSET and (traded := instant_ms(time)) > changed:
            changed = traded
        if changed <= self.event_ms:
            return changed or self.event_ms
        self.event_ms = changed
        return changed

    def overlay_option(self, row: rows.LevelOneRow) -> None:
        """What only options have, of a row."""
        if row.volatility is not UNSET:
            self.volatility = volatility(row.volatility)
        if row.open_interest is not UNSET:
            self.open_interest = count(row.open_interest)
        if row.underlying_price is not UNSET:
            self.underlying_price = price(row.underlying_price)

    def quote(self, symbol: str, event_ms: int, recv_ms: int, *, fresh: bool = False) -> OptionQuote:
        """The image as the engine wants it; `fresh` where it has just begun."""
        return OptionQuote(
            symbol=symbol,
            iv=self.volatility,
            bid=self.bid,
            ask=self.ask,
            last=self.last,
            volume=self.volume,
            open_interest=self.open_interest,
            underlying_price=self.underlying_price,
            event_ms=event_ms,
            recv_ms=recv_ms,
            fresh=fresh,
        )


class Instants:
    """Datetimes of epoch milliseconds; events of the same moment share one, which is cheaper than another."""

    def __init__(self) -> None:
        self.known: dict[int, datetime] = {}
        """Those of late; a caller in a hurry looks here first."""

    def at(self, epoch_ms: int) -> datetime:
        """The aware datetime of an instant."""
        if (instant := self.known.get(epoch_ms)) is None:
            if len(self.known) >= _INSTANTS_KEPT:
                self.known.clear()
            instant = self.known[epoch_ms] = instant_of(epoch_ms)
        return instant
