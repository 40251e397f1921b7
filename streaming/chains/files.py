"""Option chains from files: CBOE's JSON and table, Schwab's and TD Ameritrade's JSON, plain or gzip."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from streaming import packed
from streaming.chains import cboe
from streaming.chains.quote_clock import last_quote_at
from streaming.errors import UNREADABLE, ContractError, RequestError
from streaming.model import OptionChain

_BOM: Final = b"\xef\xbb\xbf"
_PEEK: Final = 256
_HEAD: Final = 4096
_SCHWAB: Final = (b'"callExpDateMap"', b'"putExpDateMap"')
_KINDS: Final = "a CBOE table or JSON, or a Schwab chain"


def load_chain(path: Path, *, asof: datetime | None = None) -> OptionChain:
    """The chain in a file, told by its content; settled lines stay in it.

    Without `asof` the quote time follows from the file's own clock: CBOE's less 15 minutes during a session,
    the last close on an evening or a weekend (`specs/gex-method.md` §5). Raises RequestError with one sentence
    when the file is missing, unreadable, empty or no chain.
    """
    payload = _read(path)
    try:
        chain = parse_any(payload, asof=asof)
    except ContractError as error:
        raise RequestError(f"{path} is not an option chain: {error}", remedy=f"Give {_KINDS}.") from error
    if len(chain) == 0:
        raise RequestError(f"{path} lists no options.", remedy=f"Give {_KINDS} with contracts in it.")
    return chain


def parse_any(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain in bytes of any known kind, plain or gzip; ContractError when they are none."""
    if payload.startswith(packed.MAGIC):
        payload = packed.unpack(payload)
    payload = payload.removeprefix(_BOM)
    if not payload[:_PEEK].lstrip().startswith(b"{"):
        return cboe.parse_csv(payload, asof=asof)
    if _is_schwab(payload):
        return _parse_schwab(payload, asof)
    return cboe.parse_json(payload, asof=asof)


def _is_schwab(payload: bytes) -> bool:
    """Usually the head tells; searching megabytes costs as much as computing them."""
    head = payload[:_HEAD]
    if b'"option"' in head:
        return False
    return any(side in head for side in _SCHWAB) or any(side in payload for side in _SCHWAB)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            payload = file.read(packed.MOST_UNPACKED + 1)
        if payload.startswith(packed.MAGIC):
            payload = packed.unpack(payload)
    except FileNotFoundError:
        raise RequestError(f"There is no file {path}.", remedy=f"Give {_KINDS}.") from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error}.", remedy="Check the file and its permissions.") from error
    except ContractError as error:
        raise RequestError(f"{path} cannot be read: {error}", remedy="Fetch the file again.") from error
    if len(payload) > packed.MOST_UNPACKED:
        raise RequestError(
            f"{path} is larger than {packed.MOST_UNPACKED // 1_000_000} MB, which no option chain is.",
            remedy=f"Give {_KINDS}.",
        )
    if not payload.strip():
        raise RequestError(f"{path} is empty.", remedy=f"Give {_KINDS}.")
    return payload


class _Head(msgspec.Struct):
    symbol: str = ""


def _parse_schwab(payload: bytes, asof: datetime | None) -> OptionChain:
    from streaming.chains.schwab import parse_chain

    try:
        symbol = msgspec.json.decode(payload, type=_Head).symbol
    except UNREADABLE:
        symbol = ""
    chain = parse_chain(payload, ticker=symbol.removeprefix("$").removesuffix(".X"), asof=asof)
    return chain if asof is not None else replace(chain, asof=last_quote_at(chain.asof))
