"""The records of a `/chains` answer, and reading them from bytes (specs/schwab-wire.md §3.1). Pure."""

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import asdict

from streaming.errors import UNREADABLE, ContractError
from streaming.schwab.wire.tolerant import lenient_json, record_from

Number = float | str | None
"""A number, `"NaN"`, or nothing."""


class Contract(Struct, gc=False):
    """One contract on the wire; the short names are production's, the long ones the OpenAPI document's."""

    symbol: str
    putCall: str = ""
    bid: Number | UnsetType = UNSET
    ask: Number | UnsetType = UNSET
    bidPrice: Number | UnsetType = UNSET
    askPrice: Number | UnsetType = UNSET
    volatility: Number = None
    gamma: Number = None
    vega: Number = None
    openInterest: Number = None
    totalVolume: Number = None
    strikePrice: Number = None
    multiplier: Number = None
    quoteTimeInLong: int | float | None = None
    settlementType: str | None = None
    optionRoot: str | None = None
    nonStandard: bool | None = None
    mini: bool | None = None
    isNonStandard: bool | None = None
    isMini: bool | None = None


class UnderlyingQuote(Struct, gc=False):
    """The underlying's quote, when it was asked for."""

    last: Number = None
    mark: Number = None


Side = dict[str, dict[str, list[Contract]]]


class ChainHead(Struct, gc=False):
    """The answer without its contracts."""

    symbol: str = ""
    status: str = ""
    isDelayed: bool = False
    underlyingPrice: Number = None
    underlying: UnderlyingQuote | None = None


class ChainBody(ChainHead, gc=False):
    """The whole answer."""

    callExpDateMap: Side | UnsetType = UNSET
    putExpDateMap: Side | UnsetType = UNSET


_BODY: Final = msgspec.json.Decoder(ChainBody)


def decode_chain(payload: bytes) -> tuple[ChainBody, int]:
    """Read an answer strictly, else leniently, and count what of its maps could not be read.

    ContractError when it is no chain.
    """
    try:
        return _BODY.decode(payload), 0
    except UNREADABLE:
        return _decode_leniently(payload)


def _decode_leniently(payload: bytes) -> tuple[ChainBody, int]:
    tree = lenient_json(payload)
    if not isinstance(tree, dict) or not any(isinstance(tree.get(side), dict) for side in _SIDES):
        raise ContractError(f"{len(payload)} bytes from Schwab are not an option chain.")
    head = record_from(tree, ChainHead)
    if head is None:
        raise ContractError("An option chain from Schwab has no usable head.")
    (calls, odd_calls), (puts, odd_puts) = (_lenient_side(tree.get(side)) for side in _SIDES)
    return ChainBody(**asdict(head), callExpDateMap=calls, putExpDateMap=puts), odd_calls + odd_puts


_SIDES: Final = ("callExpDateMap", "putExpDateMap")


def _lenient_side(side: object) -> tuple[Side | UnsetType, int]:
    if not isinstance(side, dict):
        return UNSET, 0
    read: Side = {}
    odd = 0
    for expiry, strikes in side.items():
        offered = strikes if isinstance(strikes, dict) else {}
        odd += offered is not strikes
        made = {strike: _lenient_contracts(items) for strike, items in offered.items()}
        odd += sum(missing for _, missing in made.values())
        read[expiry] = {strike: contracts for strike, (contracts, _) in made.items()}
    return read, odd


def _lenient_contracts(items: object) -> tuple[list[Contract], int]:
    """The contracts at one strike, and how many entries are none."""
    if not isinstance(items, list):
        return [], 1
    made = (record_from(item, Contract) for item in items if isinstance(item, dict))
    contracts = [item for item in made if item is not None]
    return contracts, len(items) - len(contracts)
