"""The records of a `/chains` answer, and reading them from bytes (schwab-api.md §3.1). Pure."""

from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from streaming.errors import ContractError
from streaming.schwab.tolerant import lenient_json, record_from

Number = float | str | None
"""A number, `"NaN"`, or nothing."""


class Contract(Struct, gc=False):
    """One contract on the wire; the short names are production's, the long ones the OpenAPI document's."""

    symbol: str
    putCall: str = ""  # noqa: N815 - Schwab's own name, as all below
    bid: Number | UnsetType = UNSET
    ask: Number | UnsetType = UNSET
    bidPrice: Number | UnsetType = UNSET  # noqa: N815
    askPrice: Number | UnsetType = UNSET  # noqa: N815
    volatility: Number = None
    openInterest: Number = None  # noqa: N815
    totalVolume: Number = None  # noqa: N815
    strikePrice: Number = None  # noqa: N815
    multiplier: Number = None
    quoteTimeInLong: int | float | None = None  # noqa: N815
    settlementType: str | None = None  # noqa: N815
    optionRoot: str | None = None  # noqa: N815
    nonStandard: bool | None = None  # noqa: N815
    mini: bool | None = None
    isNonStandard: bool | None = None  # noqa: N815
    isMini: bool | None = None  # noqa: N815


class Underlying(Struct, gc=False):
    """The underlying's quote, when it was asked for."""

    last: Number = None
    mark: Number = None


Side = dict[str, dict[str, list[Contract]]]


class ChainBody(Struct, gc=False):
    """The whole answer."""

    symbol: str = ""
    status: str = ""
    isDelayed: bool = False  # noqa: N815
    underlyingPrice: Number = None  # noqa: N815
    underlying: Underlying | None = None
    callExpDateMap: Side = {}  # noqa: N815 - msgspec copies it for each record
    putExpDateMap: Side = {}  # noqa: N815


_BODY: Final = msgspec.json.Decoder(ChainBody)


def decode_chain(payload: bytes) -> ChainBody:
    """Read an answer strictly, else leniently; ContractError when it is no chain."""
    try:
        return _BODY.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(payload)


def _decode_leniently(payload: bytes) -> ChainBody:
    tree = lenient_json(payload)
    if not isinstance(tree, dict) or not any(isinstance(tree.get(side), dict) for side in _SIDES):
        raise ContractError(f"{len(payload)} bytes from Schwab are not an option chain.")
    body = record_from(tree, _Head)
    if body is None:
        raise ContractError("An option chain from Schwab has no usable head.")
    calls, puts = (_lenient_side(tree.get(side)) for side in _SIDES)
    return ChainBody(body.symbol, body.status, body.isDelayed, body.underlyingPrice, body.underlying, calls, puts)


_SIDES: Final = ("callExpDateMap", "putExpDateMap")


class _Head(Struct, gc=False):
    symbol: str = ""
    status: str = ""
    isDelayed: bool = False  # noqa: N815
    underlyingPrice: Number = None  # noqa: N815
    underlying: Underlying | None = None


def _lenient_side(side: object) -> Side:
    if not isinstance(side, dict):
        return {}
    return {
        expiry: {strike: _lenient_contracts(items) for strike, items in strikes.items()}
        for expiry, strikes in side.items()
        if isinstance(strikes, dict)
    }


def _lenient_contracts(items: object) -> list[Contract]:
    offered = items if isinstance(items, list) else []
    made = (record_from(item, Contract) for item in offered if isinstance(item, dict))
    return [item for item in made if item is not None]
