"""What is known of one symbol in one service: the last full image with every change since laid over it. Pure."""

from datetime import datetime
from typing import Final

from msgspec import UNSET

from streaming.clock import instant_of
from streaming.model import OptionQuote
from streaming.schwab.wire import rows
from streaming.schwab.wire.values import NO_VALUE, count, instant_ms, price, volatility

_INSTANTS_KEPT: Final = 4096


class Image:
    """The known values of a symbol, in our own terms; None means unknown.

    An `overlay…` takes over what a row names, keeps the rest, and returns the event time: the newer of the times
    that changed, else the newest known, else 0 (specs/schwab-wire.md §2.5, rule 5).
    """

    __slots__ = (
        "ask", "ask_size", "bid", "bid_size", "delayed", "event_ms", "last", "last_size", "open_interest",
        "underlying_price", "volatility", "volume",
    )  # fmt: skip

    def __init__(self) -> None:
        self.delayed: bool | None = None
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

    def overlay(self, row: rows.LevelOneRow) -> int:
        """A row whose prices are greater than zero; the rule of `values.price` in place, for most rows are these."""
        if (value := row.bid) is not UNSET:
            self.bid = value if value is not None and value > 0.0 else None
        if (value := row.ask) is not UNSET:
            self.ask = value if value is not None and value > 0.0 else None
        if (value := row.last) is not UNSET:
            self.last = value if value is not None and value > 0.0 else None
        return self._overlay_sizes_and_times(row)

    def overlay_signed(self, row: rows.LevelOneRow) -> int:
        """A row whose prices may be zero or less; the rule of `values.signed_price`."""
        if (value := row.bid) is not UNSET:
            self.bid = value if value != NO_VALUE else None
        if (value := row.ask) is not UNSET:
            self.ask = value if value != NO_VALUE else None
        if (value := row.last) is not UNSET:
            self.last = value if value != NO_VALUE else None
        return self._overlay_sizes_and_times(row)

    def overlay_option(self, row: rows.OptionRow) -> int:
        """A row with what only options have."""
        if row.volatility is not UNSET:
            self.volatility = volatility(row.volatility)
        if row.open_interest is not UNSET:
            self.open_interest = count(row.open_interest)
        if row.underlying_price is not UNSET:
            self.underlying_price = price(row.underlying_price)
        return self.overlay_signed(row)

    def _overlay_sizes_and_times(self, row: rows.LevelOneRow) -> int:
        if (value := row.bid_size) is not UNSET:
            self.bid_size = count(value)
        if (value := row.ask_size) is not UNSET:
            self.ask_size = count(value)
        if (value := row.volume) is not UNSET:
            self.volume = count(value)
        if (value := row.last_size) is not UNSET:
            self.last_size = count(value)
        if row.delayed is not UNSET:
            self.delayed = row.delayed
        changed = 0
        if row.quote_ms is not UNSET:
            changed = instant_ms(row.quote_ms)
        if row.trade_ms is not UNSET and (traded := instant_ms(row.trade_ms)) > changed:
            changed = traded
        if changed <= self.event_ms:
            return changed or self.event_ms
        self.event_ms = changed
        return changed

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
        self._known: dict[int, datetime] = {}

    def at(self, epoch_ms: int) -> datetime:
        """The aware datetime of an instant."""
        instant = self._known.get(epoch_ms)
        if instant is None:
            if len(self._known) >= _INSTANTS_KEPT:
                self._known.clear()
            instant = self._known[epoch_ms] = instant_of(epoch_ms)
        return instant
