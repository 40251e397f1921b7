"""Records to the JSON of the Redis contract and back, with encoders made once. Pure."""

from typing import Final

import msgspec

from streaming.errors import ContractError
from streaming.model import Candle, GexSnapshot, Level2Event, TickEvent

_ENCODER: Final = msgspec.json.Encoder()
_SNAPSHOT: Final = msgspec.json.Decoder(GexSnapshot)


def encode_tick(tick: TickEvent) -> bytes:
    """A tick as published on `market_data:ticks`; what is unknown is null."""
    return _ENCODER.encode(tick)


def encode_level2(book: Level2Event) -> bytes:
    """A book as published on `market_data:level2`."""
    return _ENCODER.encode(book)


def encode_candle(candle: Candle) -> bytes:
    """A minute as published on `market_data:candles`."""
    return _ENCODER.encode(candle)


def encode_snapshot(snapshot: GexSnapshot) -> bytes:
    """A snapshot as stored at `gex:snapshot:<TICKER>`; a number that is not finite becomes null."""
    return _ENCODER.encode(snapshot)


def decode_snapshot(payload: bytes) -> GexSnapshot:
    """A snapshot that `encode_snapshot` made; ContractError for anything else."""
    try:
        return _SNAPSHOT.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # msgspec lets the latter through
        raise ContractError(f"A snapshot does not have our own shape: {error}.") from None
