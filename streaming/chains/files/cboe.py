"""CBOE's delayed quotes, as the JSON of its feed and as the table of its site. Pure: bytes in, chain out.

The clock in both is the time of the download, 15 minutes after the quotes (`specs/gex-method.md` §5); `asof`
overrides it.
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK
from streaming.chains.assembly import ContractRows, Quoted, assemble, column_of, grid_of
from streaming.chains.files.cboe_rows import read_rows
from streaming.chains.files.cboe_table import read_table
from streaming.chains.files.date_line import moment_in
from streaming.chains.osi import Bytes, SymbolColumns, listing_of, rows_by_root
from streaming.chains.quote_clock import CBOE_DELAY, last_quote_at, night_quote_at
from streaming.chains.vendor_clock import Greeks, SeriesName, clock_ends
from streaming.chains.wire_values import price
from streaming.clock import LAST_DAY, instant
from streaming.errors import UNREADABLE, ContractError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain
from streaming.schwab.wire.tolerant import record_from

Floats = NDArray[np.float64]
Number = float | str | None
SOURCE: Final = "cboe"
_LAST_DIGIT: Final = 0.0001
"""Of gamma and vega as CBOE writes them."""
_NIGHT_ROOT: Final = "SPXW"


class CboeOption(msgspec.Struct, gc=False):
    """One contract of the feed."""

    option: str
    iv: Number = None
    open_interest: Number = None
    volume: Number = None
    bid: Number = None
    ask: Number = None
    gamma: Number = None
    vega: Number = None


class CboeData(msgspec.Struct, gc=False):
    """One underlying with its options."""

    options: list[CboeOption] | None = None
    symbol: str = ""
    current_price: Number = None
    close: Number = None
    last_trade_time: str | None = None


class CboeBody(CboeData, gc=False):
    """The feed's wrapper, or a file that holds only what is inside `data`."""

    data: CboeData | None = None
    timestamp: str | None = None


_BODY: Final = msgspec.json.Decoder(CboeBody)


def parse_json(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain of the JSON feed, with its wrapper or without; ContractError when it is neither.

    A file without any clock counts as the close of its first listed expiry.
    """
    body, grid, columns = _read(payload)
    data = body.data or body
    listing = listing_of(grid)
    symbols, kept = listing.symbols, listing.kept
    *figures, gamma, vega = [column[kept] for column in columns]
    offered = (price(value) for value in (data.current_price, data.close))
    spot = next((found for found in offered if found is not None), float("nan"))
    when = asof or _json_quote_time(body.timestamp, data.last_trade_time, symbols)
    met = ChainQuality(unreadable=int(np.count_nonzero(~listing.valid)))
    chain = assemble(ContractRows(symbols, *figures), Quoted(SOURCE, data.symbol, spot, when), met)
    greeks = Greeks(figures[0], gamma, vega, unit=_LAST_DIGIT)
    return replace(chain, vendor_end_s=_clock_ends(symbols, greeks, spot, when))


def parse_csv(payload: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain of the site's table; ContractError when it holds no options or no date."""
    table = read_table(payload)
    when = asof or _quoted_at(table.fetched_at(), table.rows.symbols)
    return assemble(table.rows, Quoted(SOURCE, "", table.spot, when), table.met)


def _clock_ends(symbols: SymbolColumns, greeks: Greeks, spot: float, asof: datetime) -> dict[SeriesName, float]:
    days, day = _distinct_days(symbols.expiry)
    series = np.empty(day.size, np.intp)
    by_root = rows_by_root(symbols.root)
    for number, rows in enumerate(by_root.values()):
        series[rows] = number * days.size + day[rows]
    settle_s = np.full(len(by_root) * days.size, np.nan)
    settle_s[series] = symbols.settle_s
    names = [(root, expiry) for root in by_root for expiry in days.tolist()]
    return clock_ends(greeks, spot, asof.timestamp(), series, list(zip(names, settle_s.tolist(), strict=True)))


def _distinct_days(expiry: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64], NDArray[np.intp]]:
    """The distinct days, ascending, and which of them each is; a table of all days between them beats sorting."""
    number = expiry.astype("datetime64[D]").astype(np.int64)
    first = int(number.min()) if number.size else 0
    is_listed = np.zeros(int(number.max(initial=first)) - first + 1, np.bool_)
    is_listed[number - first] = True
    days = (first + np.flatnonzero(is_listed)).astype("datetime64[D]")
    return days, (np.cumsum(is_listed) - 1)[number - first]


def _read(payload: bytes) -> tuple[CboeBody, Bytes, list[Floats]]:
    """What stands around the contracts, their symbols in columns of characters, and their `FIGURES`."""
    rows = read_rows(payload)
    if rows is not None:
        with suppress(ContractError):
            return _decode(rows.frame), rows.grid, rows.figures
    body = _decode(payload)
    options = (body.data or body).options or []
    return body, grid_of([item.option for item in options]), [column_of(column) for column in _columns(options)]


def _decode(payload: bytes) -> CboeBody:
    try:
        body = _BODY.decode(payload)
    except UNREADABLE:
        body = _decode_leniently(payload)
    if (body.data or body).options is None:
        raise ContractError("The JSON holds no list of options.")
    return body


def _decode_leniently(payload: bytes) -> CboeBody:
    """What can be understood: NaN is read where msgspec follows the letter of JSON, and an odd row costs itself."""
    try:
        tree = json.loads(payload)
    except (ValueError, RecursionError) as error:
        is_cut = isinstance(error, json.JSONDecodeError) and error.pos >= len(error.doc.rstrip()) - 1
        cut = "cut off" if is_cut or "Unterminated" in str(error) else "broken or is no chain of CBOE's"
        raise ContractError(f"The JSON is {cut}.") from None
    if not isinstance(tree, dict):
        raise ContractError("The JSON is not a CBOE chain.")
    return record_from(tree, CboeBody) or CboeBody()


def _columns(options: Sequence[CboeOption]) -> tuple[list[Number], ...]:
    """Of `FIGURES`; written out, for a named attribute is read faster."""
    return (
        [option.iv for option in options],
        [option.open_interest for option in options],
        [option.volume for option in options],
        [option.bid for option in options],
        [option.ask for option in options],
        [option.gamma for option in options],
        [option.vega for option in options],
    )


def _json_quote_time(timestamp: str | None, last_trade: str | None, symbols: SymbolColumns) -> datetime:
    """The wrapper's clock is UTC, the underlying's last trade is New York time."""
    first = symbols.expiry.min().item() if symbols.expiry.size else LAST_DAY
    if (fetched := _moment(timestamp, first, UTC)) is not None:
        return _quoted_at(fetched, symbols)
    if (traded := _moment(last_trade, first, NEW_YORK)) is not None:
        return last_quote_at(traded)
    if symbols.expiry.size == 0:
        raise ContractError("The chain is empty and does not say when it was quoted.")
    return last_quote_at(datetime.combine(first, time(23), NEW_YORK))


def _moment(text: str | None, first_expiry: date, zone: tzinfo) -> datetime | None:
    """An instant as JSON writes it, or as people do."""
    found = instant(text, unit="s", zone=zone)
    return found if found is not None or text is None else moment_in(text, first_expiry, zone=zone)


def _quoted_at(fetched: datetime, symbols: SymbolColumns) -> datetime:
    """15 minutes before the fetch within a session, 20 in SPX's night session, else the last close."""
    night = night_quote_at(fetched) if _NIGHT_ROOT in rows_by_root(symbols.root) else None
    return night or last_quote_at(fetched, delay=CBOE_DELAY)
