"""What the engine host and its worker process say to each other, as msgpack. Records only.

Orders are carried out and answered one after another; `Take` and `Rehearse` have none. The bytes of a chain follow
their `Load` as a frame of their own, so that megabytes are not copied into a message.
"""

from datetime import date, datetime
from typing import Final, Literal

import msgspec

from streaming.chains.expiry_sizes import ExpirySize, Known
from streaming.day_map import DayMap
from streaming.model import GexSnapshot, OptionQuote, OptionTrades, ScopeName, VolatilityRule
from streaming.symbols import Ticker

ChainKind = Literal["schwab", "cboe"]
Spot = tuple[str, float, int]
"""(wire symbol, price, event ms)."""


class Setup(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """First order of all: which engines."""

    tickers: tuple[Ticker, ...]
    scope: ScopeName
    volatility: VolatilityRule = "quotes"


class ChainAbout(msgspec.Struct, frozen=True):
    """What is told of a chain, or one expiry of it, beside its bytes."""

    underlying: str
    kind: ChainKind
    asof: datetime | None = None
    """Quote time; None: what the bytes say."""
    expiry: date | None = None
    """None when the bytes are the whole chain."""
    planned: tuple[date, ...] = ()
    """With `expiry`: what makes up the whole; anything else is forgotten."""
    required: tuple[date, ...] = ()
    """With `expiry`: what must be there before there is a whole."""
    source: str = "schwab"
    """Whose figures they are, where the bytes do not say."""
    strikes: int = 0
    """How many on either side of the money were asked for; 0 is all."""
    came_at: datetime | None = None
    """When it came; None: at its quote time."""
    ex_dividend: date | None = None
    """On which day to come the underlying first trades without a dividend; None: not known."""


class Load(ChainAbout, frozen=True, array_like=True, tag=True):
    """Take a chain or one expiry of it; its bytes are the next frame."""

    known: Known | None = None
    """What the answer must measure up to; None: nothing, or it was doubted often enough."""


class Take(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Live prices of underlyings and futures, live option quotes, and what was traded since the last of them."""

    spots: list[Spot]
    quotes: list[OptionQuote]
    trades: list[OptionTrades] = []


class Compute(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The snapshot of a ticker now."""

    ticker: str
    now: datetime


class Rehearse(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The same order is about to come as `Compute`: make ready what can be. It has no answer."""

    ticker: str
    now: datetime


class Near(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The options most worth streaming."""

    per_underlying: int


class Ahead(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The next piece of work on the map of the rest of the session, of what was computed last."""

    ticker: str
    newer_than_ms: int
    """Quote time of the map that is known already."""


class Ready(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer to `Setup`."""


class ChainReceipt(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """What became of a chain that was handed over."""

    contracts: int
    """In these bytes."""
    roots: tuple[str, ...]
    complete: bool
    """Whether the engines have a whole picture of the underlying now."""
    spot: float | None
    asof: datetime
    """Quote time of these bytes."""
    delayed: bool
    sizes: tuple[ExpirySize, ...] = ()
    """Of what is kept now, with the open interest it may have from before."""
    kept_interest: bool = False
    """Whether a side came without open interest and keeps what was known."""
    odd_rows: int = 0
    """Rows that could not be read."""
    remark: str = ""
    """What else is odd about them, in words."""


class Doubtful(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The other answer to `Load`: nothing was taken, for much less came than was known."""

    reason: str
    sizes: tuple[ExpirySize, ...]


class Computed(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer to `Compute`; None before the first whole chain."""

    snapshot: GexSnapshot | None


class NearSymbols(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer to `Near`."""

    symbols: tuple[str, ...]


class AheadPiece(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer to `Ahead`: the map once it is done, None where there is nothing newer."""

    done: bool
    day_map: DayMap | None = None


class OrderRefused(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """An order that could not be carried out; `kind` is the type of the error."""

    kind: str
    reason: str
    remedy: str = ""


Order = Setup | Load | Take | Compute | Rehearse | Near | Ahead
Answer = Ready | ChainReceipt | Doubtful | Computed | NearSymbols | AheadPiece | OrderRefused
ORDERS: Final = msgspec.msgpack.Decoder(Order)
ANSWERS: Final = msgspec.msgpack.Decoder(Answer)
ENCODER: Final = msgspec.msgpack.Encoder()
