"""Option chains from files: CBOE's JSON and table, Schwab's and TD Ameritrade's JSON, plain CSV; packed or not."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from streaming.chains.files import cboe
from streaming.chains.files.cboe_table import NO_TABLE, is_table
from streaming.chains.files.plain_table import NO_COLUMNS, is_plain, parse_plain
from streaming.chains.files.wrapping import refusal, unwrapped
from streaming.chains.judgement import only_rows
from streaming.chains.quote_clock import last_quote_at
from streaming.chains.schwab import parse_chain
from streaming.errors import UNREADABLE, ContractError, RequestError
from streaming.gex.pricing.forward import implied_spot
from streaming.gex.pricing.lines import sort_lines
from streaming.option_chain import OptionChain
from streaming.process import packed

_PEEK: Final = 256
_HEAD: Final = 4096
_SCHWAB: Final = (b'"callExpDateMap"', b'"putExpDateMap"')
_KINDS: Final = "Give a CBOE table or JSON, a Schwab chain, or a plain CSV (specs/chain-files.md)."


def load_chain(path: Path, *, asof: datetime | None = None, spot: float | None = None) -> OptionChain:
    """The chain in a file, told by its content; settled lines stay in it.

    Without `asof` the quote time follows from the file's own clock: CBOE's less 15 minutes during a session,
    the last close on an evening or a weekend (`specs/gex-method.md` §5). `spot` wins over the file's; where neither is
    known the quotes imply it, as far as they can. Raises RequestError with one sentence when the file is missing,
    unreadable, empty or no chain.
    """
    payload = _read(path)
    try:
        chain = parse_any(payload, asof=asof)
    except ContractError as error:
        raise RequestError(f"{path} is not an option chain: {error}", remedy=error.remedy or _KINDS) from error
    if len(chain) == 0:
        raise RequestError(f"{path} lists no options.", remedy=_KINDS)
    return with_spot(chain if spot is None else replace(chain, spot=spot))


def parse_any(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain in bytes of any known kind, packed or not; ContractError when they are none."""
    text = unwrapped(payload)
    head = text[:_PEEK].lstrip()
    if head.startswith(b"{"):
        return _parse_schwab(text, asof) if _is_schwab(text) else cboe.parse_json(text, asof=asof)
    if is_table(text):
        return cboe.parse_csv(text, asof=asof)
    if is_plain(text):
        return parse_plain(text, asof=asof)
    if head.startswith(b"["):
        raise ContractError("The JSON is a list, which neither CBOE nor Schwab sends.")
    raise refusal(text, otherwise=f"{NO_TABLE} {NO_COLUMNS}")


def _is_schwab(payload: bytes) -> bool:
    """Usually the head tells; searching megabytes costs as much as computing them."""
    head = payload[:_HEAD]
    if b'"option"' in head:
        return False
    return any(side in head for side in _SCHWAB) or any(side in payload for side in _SCHWAB)


def _read(path: Path) -> bytes:
    """The bytes of a file that is not larger than any chain."""
    try:
        with path.open("rb") as file:
            payload = file.read(packed.MOST_UNPACKED + 1)
    except FileNotFoundError:
        raise RequestError(f"There is no file {path}.", remedy=_KINDS) from None
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error}.", remedy="Check the file and its permissions.") from error
    if len(payload) > packed.MOST_UNPACKED:
        raise RequestError(
            f"{path} is larger than {packed.MOST_UNPACKED // 1_000_000} MB, which no option chain is.", remedy=_KINDS
        )
    try:
        text = unwrapped(payload)
    except ContractError as error:
        raise RequestError(f"{path} cannot be read: {error}", remedy=error.remedy or "Fetch the file again.") from error
    if not text.strip():
        raise RequestError(f"{path} is empty.", remedy=_KINDS)
    return text


class _Head(msgspec.Struct):
    symbol: str = ""


def _parse_schwab(payload: bytes, asof: datetime | None) -> OptionChain:
    try:
        symbol = msgspec.json.decode(payload, type=_Head).symbol
    except UNREADABLE:
        symbol = ""
    chain = parse_chain(payload, ticker=symbol.removeprefix("$").removesuffix(".X"), asof=asof)
    return chain if asof is not None else replace(chain, asof=last_quote_at(chain.asof))


def with_spot(chain: OptionChain) -> OptionChain:
    """The chain with its own price, else with the implied one and a mark that says so; NaN where quotes do not say."""
    if chain.spot > 0.0:
        return chain
    living = only_rows(chain, chain.settle_s > chain.asof.timestamp())
    spot = implied_spot(sort_lines(living))
    return replace(chain, spot=spot, quality=msgspec.structs.replace(chain.quality, spot_implied=spot > 0.0))
