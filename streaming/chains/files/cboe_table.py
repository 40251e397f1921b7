"""The option table that CBOE's site downloads, read as columns. Pure.

One row holds a call and a put of the same strike. Around it: a line with the name and last price, one with the date,
sometimes a title or a blank line before them, commas at line ends, commas in names, quotes that never close.
Spreadsheets save it again with semicolons or tabs and decimal commas, pandas with a column of row numbers and `Bid.1`;
until 2020 the site called some columns otherwise.
"""

import csv
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.chains.assembly import ContractRows
from streaming.chains.files.cells import numbers
from streaming.chains.files.date_line import fetched_at
from streaming.chains.files.wrapping import refusal
from streaming.chains.osi import Bytes, Ints, listing_of, symbol_grid
from streaming.errors import ContractError
from streaming.model import ChainQuality

Floats = NDArray[np.float64]
_BOM: Final = b"\xef\xbb\xbf"
_COMMA: Final = ord(",")
_LINE: Final = ord("\n")
_LONGEST_HEAD: Final = 16_384
_COLUMN_LINE: Final = re.compile(rb"^[^\n]*?\bCalls\b[^\n]*?\bPuts\b[^\n]*$", re.MULTILINE | re.IGNORECASE)
_SEPARATORS: Final = (b",", b";", b"\t", b"|")
_NUMBER: Final = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_LAST: Final = re.compile(rf"Last:\s*\"?{_NUMBER}")
_LAST_BEFORE_2021: Final = re.compile(rf"^[^\n]*\([^()\n]*\)\"?\s*[,;\t|]\s*\"?{_NUMBER}", re.MULTILINE)
_DECIMAL_COMMA: Final = re.compile(rb"(?<![\d.,])-?\d+(?:\.\d{3})*,(?:\d{1,2}|\d{4,})(?![\d.,])")
_DOT_OF_THOUSANDS: Final = re.compile(rb"(?<=\d)\.(?=\d)")
_NAME_TWICE: Final = re.compile(r"\.\d+$")
_NAMES_BEFORE_2021: Final = {"vol": "volume", "open int": "open interest"}
_FIGURES: Final = ("iv", "open interest", "volume", "bid", "ask")
NO_TABLE: Final = "There is no line of columns with Calls and Puts, as CBOE's tables have."


@dataclass(frozen=True, slots=True, eq=False)
class QuoteTable:
    """All calls, then all puts."""

    head: str
    rows: ContractRows
    met: ChainQuality

    @property
    def spot(self) -> float:
        """The last price; NaN when the head has none."""
        found = _LAST.search(self.head) or _LAST_BEFORE_2021.search(self.head)
        return float("nan") if found is None else float(found[1].replace(",", ""))

    def fetched_at(self) -> datetime:
        """When the table was downloaded; ContractError when the head has no date and time."""
        first: date = self.rows.symbols.expiry.min().item()
        return fetched_at(self.head.splitlines(), first)


def is_table(payload: bytes) -> bool:
    """Whether the first lines have CBOE's columns."""
    return _COLUMN_LINE.search(payload[:_LONGEST_HEAD]) is not None


def read_table(payload: bytes) -> QuoteTable:
    """The table as columns; ContractError when there is none or no row of it names an option."""
    text = payload.removeprefix(_BOM)
    text = text.replace(b"\r", b"") if b"\n" in text else text.replace(b"\r", b"\n")
    line = _COLUMN_LINE.search(text[:_LONGEST_HEAD])
    if line is None:
        raise refusal(text, otherwise=NO_TABLE)
    separator = max(_SEPARATORS, key=line[0].count)
    names = [_name(cell) for cell in line[0].decode("utf-8", "replace").split(separator.decode())]
    body = text[line.end() + 1 :]
    cells = _cells(body if separator == b"," else with_commas(body, separator), len(names))
    return _table(text[: line.start()].decode("utf-8", "replace"), names, cells)


def _name(cell: str) -> str:
    name = _NAME_TWICE.sub("", cell.strip().strip('"').lower())
    return _NAMES_BEFORE_2021.get(name, name)


def with_commas(body: bytes, separator: bytes) -> bytes:
    """The same cells between commas, their numbers with a decimal point and nothing between thousands."""
    if _DECIMAL_COMMA.search(body) is not None:
        body = _DOT_OF_THOUSANDS.sub(b"", body).replace(b",", b".")
    return body.replace(b",", b"").replace(separator, b",")


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Where each cell of a regular table begins and ends in its text; shapes (rows, columns)."""

    data: Bytes
    start: Ints
    end: Ints
    short_rows: int = 0
    """Rows with something in them that lack cells."""
    cut_off: bool = False


def _cells(body: bytes, columns: int) -> _Cells:
    ends_in_line = body.endswith(b"\n")
    body = body.strip(b"\n") + b"\n"
    cells = None if b'"' in body else _regular(body, columns)
    return cells if cells is not None else _irregular(body, columns, ends_in_line=ends_in_line)


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


def _irregular(body: bytes, columns: int, *, ends_in_line: bool) -> _Cells:
    """The same from lines with quotes or with cells missing at their end; lines that are too short are left out."""
    lines = body.decode("utf-8", "replace").splitlines()
    try:
        rows = [next(csv.reader([line]), []) for line in lines]
    except csv.Error as error:
        raise ContractError(f"The table is broken: {error}.") from error
    kept = [[cell.replace(",", "") for cell in row[:columns]] for row in rows if len(row) >= columns]
    cells = _regular(("\n".join(",".join(row) for row in kept) + "\n").encode(), columns) if kept else None
    if cells is None:
        raise ContractError("The table has no complete row.")
    short = sum(len(row) < columns and any(cell.strip() for cell in row[1:]) for row in rows)
    cut_off = not ends_in_line and len(rows[-1]) < columns
    return _Cells(cells.data, cells.start, cells.end, short, cut_off)


def _table(head: str, names: list[str], cells: _Cells) -> QuoteTable:
    try:
        calls, puts = names.index("calls"), names.index("puts")
        at = [[names.index(figure, side) for figure in _FIGURES] for side in (calls, puts)]
    except ValueError:
        raise ContractError("The table lacks a column of calls, puts, IV, open interest, volume, bid or ask.") from None
    sides = [(cells.start[:, side], cells.end[:, side]) for side in (calls, puts)]
    grid = np.concatenate([symbol_grid(cells.data, *side) for side in sides], axis=1)
    listing = listing_of(grid)
    if not listing.valid.any():
        raise ContractError("No row of the table names an option.")
    nameless = np.concatenate([end > start for start, end in sides]) & ~listing.valid
    order = [side[figure] for figure in range(len(_FIGURES)) for side in at]
    values = numbers(cells.data, cells.start[:, order].T.ravel(), cells.end[:, order].T.ravel())
    rows = ContractRows(listing.symbols, *values.reshape(len(_FIGURES), -1)[:, listing.kept])
    unreadable = int(np.count_nonzero(nameless)) + cells.short_rows
    return QuoteTable(head, rows, ChainQuality(unreadable=unreadable, cut_off=cells.cut_off))
