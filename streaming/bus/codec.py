"""Records to the JSON of the Redis contract and back, with encoders made once. Pure."""

from collections.abc import Callable
from typing import Final

import msgspec

from streaming.errors import UNREADABLE, ContractError
from streaming.model import GexSnapshot, MarketEvent

_ENCODER: Final = msgspec.json.Encoder()
_SNAPSHOT: Final = msgspec.json.Decoder(GexSnapshot)


encode_event: Final[Callable[[MarketEvent], bytes]] = _ENCODER.encode
"""A tick, book or minute as published on `market_data:*`; what is unknown is null."""


def encode_snapshot(snapshot: GexSnapshot) -> bytes:
    """A snapshot as stored at `gex:snapshot:<TICKER>`; a number that is not finite becomes null."""
    return _ENCODER.encode(snapshot)


def decode_snapshot(payload: bytes) -> GexSnapshot:
    """A snapshot that `encode_snapshot` made; ContractError for anything else."""
    try:
        return _SNAPSHOT.decode(payload)
    except UNREADABLE as error:
        raise ContractError(f"A snapshot does not have the expected shape: {error}.") from None
