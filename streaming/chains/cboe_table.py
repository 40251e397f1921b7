"""The option table that CBOE's site downloads, read as columns. Pure.

One row holds a call and a put of the same strike. Around it: a line with the name and last price, one with the date,
sometimes a title or a blank line before them, commas at line ends, commas in names, quotes that never close.
"""

import csv
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK
from streaming.chains.osi import Bytes, Ints, SymbolColumns, is_symbol, read_symbols, symbol_grid
from streaming.errors import ContractError

Floats = NDArray[np.float64]
_BOM: Final = b"\xef\xbb\xbf"
_COMMA: Final = ord(",")
_LINE: Final = ord("\n")
_ZERO: Final = ord("0")
_NINE: Final = ord("9")
_DOT: Final = ord(".")
_MINUS: Final = ord("-")
_MOST_DIGITS: Final = 15
_POWERS: Final = 10.0 ** np.arange(_MOST_DIGITS + 1)
_WEB_PAGE: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE)
_COLUMN_LINE: Final = re.compile(rb"^\"?Expiration Date\"?,.*$", re.MULTILINE | re.IGNORECASE)
_LAST: Final = re.compile(r"Last:\s*\"?(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = f"({'|'.join(_MONTHS)})[a-z]*"
_DAY: Final = re.compile(rf"\b(\d{{1,2}})\s+{_MONTH}\b|\b{_MONTH}\s+(\d{{1,2}})\b", re.IGNORECASE)
_YEAR: Final = re.compile(r"\b(20\d\d)\b")
_TIME: Final = re.compile(r"\b(\d{1,2}):(\d{2})\s*([AP])M\b", re.IGNORECASE)
_FIGURES: Final = ("iv", "open interest", "volume", "bid", "ask")
_HALF_DAY_H: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All calls, then all puts."""

    head: str
    symbols: SymbolColumns
    iv: Floats
    open_interest: Floats
    volume: Floats
    bid: Floats
    ask: Floats

    @property
    def spot(self) -> float:
        """The last price; ContractError when the head has none."""
        found = _LAST.search(self.head)
        if found is None:
            raise ContractError("The table does not say the last price of its underlying.")
        return float(found[1].replace(",", ""))

    def fetched_at(self, first_expiry: date) -> datetime:
        """When the table was downloaded, New York time; a year that is missing is the first expiry's.

        Raises ContractError when the head has no date and time.
        """
        line = next((line for line in self.head.splitlines() if "Date:" in line), "")
        day, time = _DAY.search(line), _TIME.search(line)
        if day is None or time is None:
            raise ContractError("The table does not say when it was downloaded; give the quote time.")
        year = _YEAR.search(line)
        hour = int(time[1]) % _HALF_DAY_H + (_HALF_DAY_H if time[3].upper() == "P" else 0)
        month = 1 + _MONTHS.index((day[2] or day[3]).lower())
        found = datetime(first_expiry.year, month, int(day[1] or day[4]), hour, int(time[2]), tzinfo=NEW_YORK)
        if year is not None:
            return found.replace(year=int(year[1]))
        return found if found.date() <= first_expiry else found.replace(year=first_expiry.year - 1)


def read_table(payload: bytes) -> Table:
    """The table as columns; ContractError when there is none or no row of it names an option."""
    text = payload.removeprefix(_BOM).replace(b"\r", b"")
    line = _COLUMN_LINE.search(text)
    if line is None and _WEB_PAGE.match(text):
        raise ContractError("This is a web page, not a table.", remedy="Download the table itself and try again.")
    if line is None:
        raise ContractError("There is no line that begins with 'Expiration Date'.")
    names = [name.strip().strip('"').lower() for name in line[0].decode("utf-8", "replace").split(",")]
    cells = _cells(text[line.end() + 1 :], len(names))
    return _columns(text[: line.start()].decode("utf-8", "replace"), names, cells)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Where each cell of a regular table begins and ends in its text; shapes (rows, columns)."""

    data: Bytes
    start: Ints
    end: Ints


def _cells(body: bytes, columns: int) -> _Cells:
    body = body.strip(b"\n") + b"\n"
    cells = None if b'"' in body else _regular(body, columns)
    return cells if cells is not None else _irregular(body, columns)


def _regular(body: bytes, columns: int) -> _Cells | None:
    """The cells when every line has the same number of commas; else None."""
    data = np.frombuffer(body, np.uint8)
    end = np.flatnonzero((data == _COMMA) | (data == _LINE))
    if end.size % columns:
        return None
    ends_line = (data[end] == _LINE).reshape(-1, columns)
    if not bool(ends_line[:, -1].all()) or bool(ends_line[:, :-1].any()):
        return None
    start = np.empty_like(end)
    start[0], start[1:] = 0, end[:-1] + 1
    return _Cells(data, start.reshape(-1, columns), end.reshape(-1, columns))


def _irregular(body: bytes, columns: int) -> _Cells:
    """The same from lines with quotes or with cells missing at their end; lines that are too short are left out."""
    lines = body.decode("utf-8", "replace").splitlines()
    rows = (next(csv.reader([line]), []) for line in lines)
    kept = [[cell.replace(",", "") for cell in row[:columns]] for row in rows if len(row) >= columns]
    cells = _regular(("\n".join(",".join(row) for row in kept) + "\n").encode(), columns) if kept else None
    if cells is None:
        raise ContractError("The table has no complete row.")
    return cells


def _columns(head: str, names: list[str], cells: _Cells) -> Table:
    try:
        calls, puts = names.index("calls"), names.index("puts")
        at = [[names.index(figure, side) for figure in _FIGURES] for side in (calls, puts)]
    except ValueError:
        raise ContractError("The table lacks a column of calls, puts, IV, open interest, volume, bid or ask.") from None
    grid = np.concatenate(
        [symbol_grid(cells.data, cells.start[:, side], cells.end[:, side]) for side in (calls, puts)], axis=1
    )
    valid = is_symbol(grid)
    if not valid.any():
        raise ContractError("No row of the table names an option.")
    order = [side[figure] for figure in range(len(_FIGURES)) for side in at]
    values = _numbers(cells.data, cells.start[:, order].T.ravel(), cells.end[:, order].T.ravel())
    return Table(head, read_symbols(grid[:, valid]), *values.reshape(len(_FIGURES), -1)[:, valid])


def _numbers(data: Bytes, start: Ints, end: Ints) -> Floats:
    """Decimal text at `data[start:end]` as numbers, correctly rounded; NaN where there is none."""
    values = np.full(start.size, np.nan)
    length = end - start
    for width in np.flatnonzero(np.bincount(length))[: _MOST_DIGITS + 1].tolist():
        rows = np.flatnonzero(length == width)
        if 0 < width <= _MOST_DIGITS:
            values[rows] = _decimals(data, start[rows], width)
    for row in np.flatnonzero(np.isnan(values) & (length > 0)).tolist():
        values[row] = _float(data[start[row] : end[row]].tobytes())
    return values


def _decimals(data: Bytes, start: Ints, width: int) -> Floats:
    """Cells such as `-12.50`, all of one width: whole digits over a power of ten; NaN where anything else stands."""
    value = np.zeros(start.size, np.int64)
    after = np.zeros(start.size, np.int64)
    dots = np.zeros(start.size, np.int64)
    odd = np.zeros(start.size, np.bool_)
    minus = data[start] == _MINUS
    for column in range(width):
        text = data[start + column]
        digit = (text >= _ZERO) & (text <= _NINE)
        value = np.where(digit, value * 10 + (text.astype(np.int64) - _ZERO), value)
        after += digit & (dots > 0)
        dots += text == _DOT
        odd |= ~digit & (text != _DOT)
        if column == 0:
            odd &= ~minus
    usable = ~odd & (dots <= 1) & (dots + minus < width)
    return np.where(usable, np.where(minus, -value, value) / _POWERS[after], np.nan)


def _float(text: bytes) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
