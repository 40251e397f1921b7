"""The kinds of event on the bus, one record each: everything that publishes them reads this list. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streaming.model import Candle, Level2Event, MarketEvent, TickEvent


@dataclass(frozen=True, slots=True)
class EventKind:
    """How one kind of event travels."""

    record: type[MarketEvent]
    channel: str
    share: float
    """Of the memory of all event streams, when all kinds are published."""
    typical_bytes: int
    """As JSON, until the first has come."""
    given_up_first: bool = False
    """Whether the buffer sheds these before any other kind, when Redis takes nothing for too long."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        return self.channel.rpartition(":")[2]

    @property
    def stream(self) -> str:
        """Key of the capped stream beside the channel."""
        return f"{self.channel}:stream"


TICKS: Final = EventKind(TickEvent, "market_data:ticks", share=0.7, typical_bytes=350, given_up_first=True)
BOOKS: Final = EventKind(Level2Event, "market_data:level2", share=0.25, typical_bytes=2_000)
CANDLES: Final = EventKind(Candle, "market_data:candles", share=0.05, typical_bytes=300)
KINDS: Final = (TICKS, BOOKS, CANDLES)
"""An event's kind is written as its place in here, at most 256."""
NUMBER_OF: Final[Mapping[type, int]] = {kind.record: number for number, kind in enumerate(KINDS)}
TICK: Final = KINDS.index(TICKS)
BOOK: Final = KINDS.index(BOOKS)
CANDLE: Final = KINDS.index(CANDLES)
