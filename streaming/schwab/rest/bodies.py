"""What Schwab's REST answers mean, except chains (specs/schwab-wire.md §2.1, §3.2, §3.3). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import msgspec

from streaming.clock import date_of
from streaming.errors import UNREADABLE, ContractError
from streaming.schwab.wire.frames import StreamerInfo
from streaming.schwab.wire.tolerant import lenient_json, mappings_in

_FAILED: Final = b'"FAILED"'
_IDS: Final = ("streamerSocketUrl", "schwabClientCustomerId", "schwabClientCorrelId")


def parse_preferences(body: bytes) -> StreamerInfo:
    """Read `/userPreference`, an object or an array of them; ContractError when it names no streamer."""
    tree = lenient_json(body)
    for holder in mappings_in(tree):
        for info in mappings_in(holder.get("streamerInfo")):
            if all(_word(info.get(name)) for name in _IDS):
                return _streamer_info(info, holder)
    raise ContractError(
        "Schwab's user preferences name no streamer.",
        remedy="Add the Trader product to the app on the developer portal.",
    )


def _streamer_info(info: Mapping[str, Any], holder: Mapping[str, Any]) -> StreamerInfo:
    offers = mappings_in(holder.get("offers"))
    return StreamerInfo(
        url=_word(info["streamerSocketUrl"]),
        customer_id=_word(info["schwabClientCustomerId"]),
        correl_id=_word(info["schwabClientCorrelId"]),
        channel=_word(info.get("schwabClientChannel")),
        function_id=_word(info.get("schwabClientFunctionId")),
        level2=not offers or any(offer.get("level2Permissions") is not False for offer in offers),
    )


def _word(value: object) -> str:
    """An id or address as text, also where it came as a number; empty for what is neither."""
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def parse_expirations(body: bytes) -> list[date]:
    """The days of `/expirationchain`, nearest first; ContractError when it is no list of expiries."""
    tree = lenient_json(body)
    if not isinstance(tree, dict) or not isinstance(tree.get("expirationList"), list):
        raise ContractError("Schwab's list of expirations cannot be read.")
    items = mappings_in(tree["expirationList"])
    found = (date_of(item.get("expirationDate") or item.get("expiration")) for item in items)
    return sorted(expiry for expiry in found if expiry is not None)


def require_quotes(body: bytes) -> None:
    """ContractError when `/quotes` answered with something that cannot hold quotes."""
    _quotes(body)


def _quotes(body: bytes) -> dict[str, Any]:
    tree = lenient_json(body)
    if not isinstance(tree, dict):
        raise ContractError("Schwab's quotes cannot be read.")
    return tree


def parse_ex_dividends(body: bytes) -> dict[str, tuple[date, ...]]:
    """The last and the next ex-dividend date that `/quotes` names of each symbol; ContractError as `require_quotes`."""
    found = {}
    for symbol, quote in _quotes(body).items():
        for fundamental in mappings_in(quote.get("fundamental") if isinstance(quote, dict) else None):
            days = (date_of(fundamental.get(name)) for name in ("divExDate", "nextDivExDate"))
            found[symbol] = tuple(day for day in days if day is not None)
    return found


class _Truncation(msgspec.Struct):
    isChainTruncated: bool = False  # noqa: N815 - Schwab's own name


def is_truncated(body: bytes) -> bool:
    """Whether a chain says of itself that it is not all."""
    try:
        return msgspec.json.decode(body, type=_Truncation).isChainTruncated
    except UNREADABLE:
        return False


@dataclass(frozen=True, slots=True)
class ChainDocument:
    """A chain as one JSON document."""

    payload: bytes
    strikes: int
    """Strikes on either side of the money that were asked for in the end; 0 is all."""


def join_sides(calls: bytes, puts: bytes) -> bytes:
    """One chain document of two that hold one side each, FAILED when either is.

    ContractError when either is no JSON object with its side in it.
    """
    try:
        merged, other = (msgspec.json.decode(half, type=dict[str, msgspec.Raw]) for half in (calls, puts))
        merged["callExpDateMap"], merged["putExpDateMap"] = merged["callExpDateMap"], other["putExpDateMap"]
        if "status" in other and bytes(other["status"]) == _FAILED:
            merged["status"] = other["status"]
        return msgspec.json.encode(merged)
    except (*UNREADABLE, KeyError):
        raise ContractError("A chain that Schwab sent in two halves cannot be joined.") from None
