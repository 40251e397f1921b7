"""CBOE's delayed quotes, as the JSON of its feed and as the table of its site. Pure: bytes in, chain out.

The clock in both is the time of the download, 15 minutes after the quotes (`specs/gex-method.md` §5); `asof`
overrides it.
"""

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, time
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK
from streaming.chains.cboe_table import read_table
from streaming.chains.osi import SymbolColumns, is_symbol, read_symbols, rows_by_root, symbol_grid
from streaming.chains.quote_clock import CBOE_DELAY, last_quote_at, night_quote_at
from streaming.chains.wire_values import price
from streaming.clock import instant
from streaming.errors import UNREADABLE, ContractError
from streaming.model import OptionChain
from streaming.symbols import WEEKLY_ROOTS

Floats = NDArray[np.float64]
Number = float | str | None
SOURCE: Final = "cboe"
_NIGHT_ROOT: Final = "SPXW"


class CboeOption(msgspec.Struct, gc=False):
    """One contract of the feed."""

    option: str
    iv: Number = None
    open_interest: Number = None
    volume: Number = None
    bid: Number = None
    ask: Number = None


class CboeData(msgspec.Struct, gc=False):
    """One underlying with its options."""

    options: list[CboeOption]
    symbol: str = ""
    current_price: Number = None
    close: Number = None
    last_trade_time: str | None = None


class CboeBody(msgspec.Struct, gc=False):
    """The feed's wrapper, or a file that holds only what is inside `data`."""

    data: CboeData | None = None
    timestamp: str | None = None
    options: list[CboeOption] | None = None
    symbol: str = ""
    current_price: Number = None
    close: Number = None
    last_trade_time: str | None = None


Record = TypeVar("Record", CboeOption, CboeData, CboeBody)
_BODY: Final = msgspec.json.Decoder(CboeBody)


def parse_json(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain of the JSON feed, with its wrapper or without; ContractError when it is neither.

    A file without any clock counts as the close of its first listed expiry.
    """
    body = _decode(payload)
    data = body.data or CboeData(body.options or [], body.symbol, body.current_price, body.close, body.last_trade_time)
    grid = _grid([item.option for item in data.options])
    valid = is_symbol(grid)
    symbols = read_symbols(grid[:, valid])
    figures = [_numbers(column)[valid] for column in _columns(data.options)]
    offered = (price(value) for value in (data.current_price, data.close))
    spot = next((found for found in offered if found is not None), float("nan"))
    when = asof or _json_quote_time(body.timestamp, data.last_trade_time, symbols)
    return _chain(symbols, data.symbol.lstrip("^_$"), spot, when, figures)


def parse_csv(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain of the site's table; ContractError when it holds no options, no price or no date."""
    table = read_table(payload)
    when = asof or _quoted_at(table.fetched_at(table.symbols.expiry.min().item()), table.symbols)
    figures = [table.iv, table.open_interest, table.volume, table.bid, table.ask]
    return _chain(table.symbols, "", table.spot, when, figures)


def _chain(symbols: SymbolColumns, ticker: str, spot: float, asof: datetime, figures: Sequence[Floats]) -> OptionChain:
    """One underlying's standard roots; adjusted contracts and strangers are left out (`specs/gex-method.md` §15)."""
    name = ticker or _commonest(symbols.root)
    kept = _standard(symbols.root, name)
    iv, open_interest, volume, bid, ask = (column[kept] for column in figures)
    return OptionChain(
        ticker=name,
        spot=spot,
        asof=asof,
        source=SOURCE,
        delayed=True,
        symbol=symbols.symbol[kept],
        root=symbols.root[kept],
        expiry=symbols.expiry[kept],
        settle_s=symbols.settle_s[kept],
        strike=symbols.strike[kept],
        is_call=symbols.is_call[kept],
        iv=iv,
        open_interest=_amounts(open_interest),
        volume=_amounts(volume),
        bid=bid,
        ask=ask,
    )


def _standard(root: NDArray[np.str_], name: str) -> slice | NDArray[np.intp]:
    """The rows of the underlying's own root and its weekly one."""
    rows = rows_by_root(root)
    standard = [part for found, part in rows.items() if WEEKLY_ROOTS.get(found, found) == name]
    return slice(None) if len(standard) == len(rows) else np.sort(np.concatenate([np.empty(0, np.intp), *standard]))


def _commonest(root: NDArray[np.str_]) -> str:
    """The underlying that most contracts are on."""
    counts: Counter[str] = Counter()
    for name, rows in rows_by_root(root).items():
        counts[WEEKLY_ROOTS.get(name, name)] += rows.size
    return max(counts, key=lambda name: (counts[name], name), default="")


def _decode(payload: bytes) -> CboeBody:
    try:
        body = _BODY.decode(payload)
    except UNREADABLE:
        body = _decode_leniently(payload)
    if body.data is None and body.options is None:
        raise ContractError("The JSON holds no list of options.")
    return body


def _decode_leniently(payload: bytes) -> CboeBody:
    """What can be understood: NaN is read where msgspec follows the letter of JSON, and an odd row costs itself."""
    try:
        tree = json.loads(payload)
    except (ValueError, RecursionError):
        raise ContractError("The JSON is broken or is no chain of CBOE's.") from None
    if not isinstance(tree, dict):
        raise ContractError("The JSON is no chain of CBOE's.")
    inner = tree.get("data")
    data = _understood(inner, CboeData) if isinstance(inner, dict) else None
    body = _understood(tree, CboeBody)
    return CboeBody() if body is None else msgspec.structs.replace(body, data=data)


def _understood(item: object, kind: type[Record]) -> Record | None:
    """A record of the fields that make sense; None without one that must be there."""
    if not isinstance(item, dict):
        return None
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name == "data" or field.name not in item:
            continue
        value = item[field.name]
        if field.name == "options":
            rows = value if isinstance(value, list) else []
            values["options"] = [row for one in rows if (row := _understood(one, CboeOption)) is not None]
            continue
        with suppress(msgspec.ValidationError, UnicodeError, RecursionError):
            values[field.name] = msgspec.convert(value, field.type, strict=False)
    if any(field.required and field.name not in values for field in msgspec.structs.fields(kind)):
        return None
    return kind(**values)


def _columns(options: Sequence[CboeOption]) -> tuple[list[Number], ...]:
    """Volatility, open interest, volume, bid and ask; written out, for a named attribute is read a third faster."""
    return (
        [option.iv for option in options],
        [option.open_interest for option in options],
        [option.volume for option in options],
        [option.bid for option in options],
        [option.ask for option in options],
    )


def _grid(symbols: Sequence[str]) -> NDArray[np.uint8]:
    data = np.frombuffer(("\n".join(symbols) + "\n").encode("ascii", "replace"), np.uint8)
    end = np.flatnonzero(data == ord("\n"))[: len(symbols)]
    return symbol_grid(data, np.concatenate(([0], end[:-1] + 1)) if end.size else end, end)


def _numbers(values: Sequence[Number]) -> Floats:
    """NaN for what is absent or no number."""
    try:
        return np.fromiter(values, np.float64, len(values))
    except (TypeError, ValueError):
        return np.fromiter((_float(value) for value in values), np.float64, len(values))


def _float(value: Number) -> float:
    try:
        return float("nan") if value is None else float(value)
    except ValueError:
        return float("nan")


def _amounts(column: Floats) -> Floats:
    return np.where((column > 0.0) & np.isfinite(column), column, 0.0)


def _json_quote_time(timestamp: str | None, last_trade: str | None, symbols: SymbolColumns) -> datetime:
    """The wrapper's clock is UTC, the underlying's last trade is New York time."""
    if (fetched := instant(timestamp, unit="s")) is not None:
        return _quoted_at(fetched, symbols)
    if (traded := instant(last_trade, unit="s", zone=NEW_YORK)) is not None:
        return last_quote_at(traded)
    if symbols.expiry.size == 0:
        raise ContractError("The chain is empty and does not say when it was quoted.")
    return last_quote_at(datetime.combine(symbols.expiry.min().item(), time(23), NEW_YORK))


def _quoted_at(fetched: datetime, symbols: SymbolColumns) -> datetime:
    """15 minutes before the fetch within a session, 20 in SPX's night session, else the last close."""
    night = night_quote_at(fetched) if _NIGHT_ROOT in rows_by_root(symbols.root) else None
    return night or last_quote_at(fetched, delay=CBOE_DELAY)
