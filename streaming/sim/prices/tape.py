"""The day's figures of one index, share or future: prices, range, volume."""

from dataclasses import dataclass
from math import isclose
from typing import Literal

Kind = Literal["index", "share", "future"]


@dataclass(slots=True)
class Tape:
    """Open, high, low, last and volume of the day; `close` is the previous day's."""

    symbol: str
    kind: Kind
    leader: str
    tick: float
    last: float = 0.0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    trade_ms: int = 0
    volume: int = 0
    bid: float = 0.0
    ask: float = 0.0
    bid_size: int = 0
    ask_size: int = 0
    last_size: int = 0
    quote_ms: int = 0
    halted: bool = False
    """Nothing trades and no quote changes."""

    def trade(self, price: float, *, size: int, at_ms: int) -> None:
        """A trade, or a new index value, at a price on the tick grid."""
        moved = not isclose(price, self.last, abs_tol=self.tick / 4)
        self.last = price
        self.high, self.low = max(self.high, price), min(self.low, price)
        if size or moved:
            self.volume += size
            self.last_size = size or self.last_size
            self.trade_ms = at_ms

    def quote(self, *, at_bid: bool, sizes: tuple[int, int], at_ms: int) -> None:
        """A best bid and ask one tick apart, with the last price on one of them."""
        self.bid = round(self.last if at_bid else self.last - self.tick, 4)
        self.ask = round(self.bid + self.tick, 4)
        self.bid_size, self.ask_size = sizes
        self.quote_ms = at_ms

    def end_day(self) -> None:
        """The night's reset: the last price becomes the close, open and range become 0."""
        self.close = self.last
        self.open = self.high = self.low = 0.0

    def begin_day(self, price: float) -> None:
        """The last price becomes the previous close; range and volume start again."""
        self.close = self.last
        self.open = self.high = self.low = self.last = price
        self.volume = 0


def to_tick(value: float, tick: float) -> float:
    """The nearest price on the tick grid."""
    return round(round(value / tick) * tick, 4)
