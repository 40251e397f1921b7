"""The rest of a session as a map: net gamma and charm's hedge flow over price and time. Records only."""

import math
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from streaming.clock import LAST_MS
from streaming.errors import UNREADABLE, ContractError
from streaming.model import ScopeName, WeightName

_MOST_CELLS: Final = 10_000
_HIGHEST_PRICE: Final = 1e9
_CELL: Final = 4
"""Bytes of a 32-bit float."""


class MapPart(msgspec.Struct, frozen=True, kw_only=True):
    """Some expiries' share; each field holds little-endian 32-bit floats, price after price, all times of each."""

    gamma_oi: bytes
    """Net GEX in $ per 1 % move, by open interest."""
    gamma_vol: bytes
    flow_oi: bytes
    """What dealers trade from the first time on because time passes, in $: + buys, − sells; by open interest."""
    flow_vol: bytes


class DayMap(msgspec.Struct, frozen=True, kw_only=True):
    """Every line priced anew at each price and time (`specs/gex-method.md` §23); a scope is the sum of its parts."""

    ticker: str
    asof_ms: int
    """Quote time of the figures behind it."""
    spot: float
    prices: tuple[float, ...]
    """Ascending; points of the ticker."""
    times_ms: tuple[int, ...]
    """Ascending; each is drawn until the next one."""
    ends_ms: int
    """The session's close."""
    parts: tuple[MapPart, ...]
    scopes: dict[ScopeName, tuple[int, ...]]
    """Which parts make up a scope."""

    def gamma(self, scope: ScopeName, weight: WeightName) -> tuple[float, ...]:
        """Net GEX of a scope in $ per 1 % move, price after price, all times of each."""
        return self._sum(scope, f"gamma_{weight}")

    def flow(self, scope: ScopeName, weight: WeightName) -> tuple[float, ...]:
        """Charm's hedge flow of a scope since the first time in $, in the same order."""
        return self._sum(scope, f"flow_{weight}")

    def _sum(self, scope: ScopeName, field: str) -> tuple[float, ...]:
        columns = [_floats(getattr(self.parts[number], field)) for number in self.scopes.get(scope, ())]
        if not columns:
            return (0.0,) * (len(self.prices) * len(self.times_ms))
        return tuple(map(sum, zip(*columns, strict=True)))


def _floats(cells: bytes) -> Sequence[float]:
    floats = array("f")
    floats.frombytes(cells)
    return floats


_ENCODER: Final = msgspec.json.Encoder()
_MAP: Final = msgspec.json.Decoder(DayMap)


def encode_map(made: DayMap) -> bytes:
    """As stored at `gex:map:<TICKER>`; cells in base64."""
    return _ENCODER.encode(made)


def decode_map(payload: bytes) -> DayMap:
    """A map that can be drawn; ContractError for anything else."""
    try:
        made = _MAP.decode(payload)
    except UNREADABLE as error:
        raise ContractError(f"A map does not have the expected shape: {error}.") from None
    if not _is_sound(made):
        raise ContractError("A map's prices, times and cells do not fit together.")
    return made


def _is_sound(made: DayMap) -> bool:
    cells = len(made.prices) * len(made.times_ms)
    fields = [cell for part in made.parts for cell in msgspec.structs.astuple(part)]
    numbers = [number for own in made.scopes.values() for number in own]
    return (
        0 < cells <= _MOST_CELLS
        and all(len(field) == cells * _CELL for field in fields)
        and all(0 <= number < len(made.parts) for number in numbers)
        and all(math.isfinite(sum(_floats(field))) for field in fields)
        and _ascends(made.prices)
        and 0.0 < made.prices[0] <= made.spot <= made.prices[-1] < _HIGHEST_PRICE
        and _ascends((*made.times_ms, made.ends_ms))
        and 0 < made.times_ms[0] < made.ends_ms < LAST_MS
    )


def _ascends(values: Sequence[float]) -> bool:
    return all(before < after for before, after in pairwise(values))
