"""Market events made up for tests."""

from datetime import UTC, datetime

from streaming.model import BookLevel, Candle, DepthKind, Level2Event, TickEvent, VenueQuote

EVENT_MS = 1_787_233_200_000


def tick(seq: int, symbol: str = "SPY") -> TickEvent:
    """A full tick whose prices follow `seq`."""
    event_ms = EVENT_MS + seq
    return TickEvent(
        symbol=symbol,
        timestamp=datetime.fromtimestamp(event_ms / 1000, UTC),
        last=500 + seq / 100,
        bid=499.99 + seq / 100,
        ask=500.01 + seq / 100,
        volume=1_000_000 + seq,
        bid_size=3,
        ask_size=5,
        last_size=100,
        event_ms=event_ms,
        recv_ms=event_ms + 12,
        source="test",
        delayed=False,
        seq=seq,
    )


def book(seq: int, symbol: str = "SPY", *, levels: int = 3) -> Level2Event:
    """A book of `levels` prices a side."""
    event_ms = EVENT_MS + seq
    venue = VenueQuote(venue="NSDQ", size=100, quote_ms=event_ms)
    return Level2Event(
        symbol=symbol,
        timestamp=datetime.fromtimestamp(event_ms / 1000, UTC),
        bids=tuple(BookLevel(price=500 - n / 100, size=100, venues=(venue,)) for n in range(levels)),
        asks=tuple(BookLevel(price=500.01 + n / 100, size=100, venues=(venue,)) for n in range(levels)),
        depth_kind=DepthKind.VENUE_MONTAGE,
        event_ms=event_ms,
        recv_ms=event_ms + 12,
        source="test",
        seq=seq,
    )


def candle(seq: int, symbol: str = "SPY") -> Candle:
    """The minute `seq` minutes after the first."""
    event_ms = EVENT_MS + seq * 60_000
    return Candle(
        symbol=symbol,
        timestamp=datetime.fromtimestamp(event_ms / 1000, UTC),
        open=500.0,
        high=501.0,
        low=499.5,
        close=500.25,
        volume=1200,
        event_ms=event_ms,
        recv_ms=event_ms + 60_012,
        source="test",
        source_seq=seq,
        seq=seq,
    )
