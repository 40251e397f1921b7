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
    cap: int
    """About how many of them the stream keeps."""
    given_up_first: bool = False
    """Whether the buffer sheds these before any other kind, when Redis takes nothing for too long."""

    @property
    def stream(self) -> str:
        """Key of the capped stream beside the channel."""
        return f"{self.channel}:stream"


TICKS: Final = EventKind(TickEvent, "market_data:ticks", cap=200_000, given_up_first=True)
"""As many as the publisher's buffer can hold; so are the books, which are larger."""
BOOKS: Final = EventKind(Level2Event, "market_data:level2", cap=20_000)
CANDLES: Final = EventKind(Candle, "market_data:candles", cap=20_000)
KINDS: Final = (TICKS, BOOKS, CANDLES)
"""An event's kind is written as its place in here, at most 256."""
NUMBER_OF: Final[Mapping[type, int]] = {kind.record: number for number, kind in enumerate(KINDS)}
TICK: Final = KINDS.index(TICKS)
BOOK: Final = KINDS.index(BOOKS)
CANDLE: Final = KINDS.index(CANDLES)
STREAM_CAPS: Final = tuple(kind.cap for kind in KINDS)
