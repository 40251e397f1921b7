"""The plain CSV that anybody can make from any vendor's data, one contract a row (`specs/chain-files.md`). Pure."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from streaming.calendar import NEW_YORK, new_york
from streaming.chains.assembly import ContractRows, Floats, Quoted, assemble, grid_of
from streaming.chains.files.cboe_table import with_commas
from streaming.chains.files.date_line import ASOF_HELPS
from streaming.chains.osi import is_symbol, read_symbols
from streaming.chains.quote_clock import last_quote_at
from streaming.chains.schwab import osi_symbol
from streaming.chains.wire_values import number, price
from streaming.clock import date_of, instant
from streaming.errors import ContractError
from streaming.model import ChainQuality
from streaming.option_chain import OptionChain

SOURCE: Final = "file"
NEEDED: Final = ("expiry", "strike", "type", "root")
_FIGURES: Final = ("iv", "open interest", "volume", "bid", "ask")
OPTIONAL: Final = (*_FIGURES, "spot", "time")
_SEPARATORS: Final = ",;\t|"
_LONGEST_LINE: Final = 4096
_MOST_ROWS: Final = 200_000
_LONGEST_ROOT: Final = 6
_SIDES: Final = {"c": True, "call": True, "calls": True, "p": False, "put": False, "puts": False}
NO_COLUMNS: Final = "Nor has its first line the columns expiry, strike, type and root of a plain CSV."
_HELP: Final = "See specs/chain-files.md for the columns."


def is_plain(text: bytes) -> bool:
    """Whether the first line has the columns that every contract needs."""
    return set(NEEDED) <= set(_names(_first_line(text)))


def parse_plain(text: bytes, *, asof: datetime | None = None) -> OptionChain:
    """The chain of a plain CSV; ContractError when no row is a contract, or rows are of several days or of none.

    The column `time` is when the quotes were live, on New York's clock unless it names a zone.
    """
    if (lines := max(text.count(b"\n"), text.count(b"\r"))) > _MOST_ROWS:
        raise ContractError(f"It has {lines:,} rows, which no chain of one moment has.", remedy=_HELP)
    names = _names(_first_line(text))
    rows = _rows(text)
    whole = [row for row in rows if len(row) >= len(names)]
    sheet = _Sheet({name: place for place, name in reversed(list(enumerate(names)))}, whole)
    contracts = _contracts(sheet)
    short = [row for row in rows if 0 < len(row) < len(names)]
    is_cut = bool(rows) and 0 < len(rows[-1]) < len(names) and not text.endswith(b"\n")
    met = ChainQuality(unreadable=len(whole) - contracts.symbols.strike.size + len(short), cut_off=is_cut)
    prices = [found for cell in sheet.column("spot") if (found := price(cell)) is not None]
    spot = prices[-1] if prices else float("nan")
    return assemble(contracts, Quoted(SOURCE, "", spot, asof or _quoted_at(sheet.column("time"))), met)


def _rows(text: bytes) -> list[list[str]]:
    separator = _separator(_first_line(text)).encode()
    plain = text.lstrip() if separator == b"," else with_commas(text.lstrip(), separator)
    try:
        return list(csv.reader(io.StringIO(plain.decode("utf-8", "replace"), newline=None), strict=True))[1:]
    except csv.Error as error:
        raise ContractError(f"The CSV is broken: {error}.", remedy=_HELP) from error


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The rows that are long enough, and where each column stands."""

    places: dict[str, int]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """The cells of a column; empty where there is none."""
        place = self.places.get(name)
        return [] if place is None else [row[place].strip() for row in self.rows]

    def figures(self, name: str) -> Floats:
        """A column of numbers; NaN where a cell or the whole column is none."""
        cells = self.column(name) or [""] * len(self.rows)
        return np.array([found if (found := number(cell)) is not None else np.nan for cell in cells], np.float64)


def _first_line(text: bytes) -> str:
    return next(iter(text[:_LONGEST_LINE].decode("utf-8", "replace").lstrip().splitlines()), "")


def _separator(line: str) -> str:
    return max(_SEPARATORS, key=line.count)


def _names(line: str) -> list[str]:
    """Column names without regard to case; `open interest`, `open_interest` and `openInterest` are one."""
    cells = next(csv.reader([line.strip()], delimiter=_separator(line)), [])
    words = ("".join(one for one in cell.casefold() if one.isalnum()) for cell in cells)
    return ["open interest" if word == "openinterest" else word for word in words]


def _contracts(sheet: _Sheet) -> ContractRows:
    cells = zip(*(sheet.column(name) for name in NEEDED), strict=True)
    grid = grid_of([_symbol(*row) for row in cells])
    valid = is_symbol(grid)
    if not valid.any():
        raise ContractError(_why_none(sheet), remedy=_HELP)
    return ContractRows(read_symbols(grid[:, valid]), *(sheet.figures(name)[valid] for name in _FIGURES))


def _symbol(expiry: str, strike: str, kind: str, root: str) -> str:
    """The contract's name; empty where a cell makes no sense."""
    day, at, call = date_of(expiry), price(strike), _SIDES.get(kind.casefold())
    name = "".join(one for one in root.upper() if one.isalnum())
    if day is None or at is None or call is None or not (0 < len(name) <= _LONGEST_ROOT):
        return ""
    return osi_symbol(name, day, at, call=call).replace(" ", "")


def _why_none(sheet: _Sheet) -> str:
    """What is wrong with the first row."""
    if not sheet.rows:
        return "The table has no row below its columns."
    expiry, strike, kind, root = (sheet.column(name)[0][:20] for name in NEEDED)
    return (
        f"No row is a contract; the first has expiry {expiry!r} (2024-06-21 is one), strike {strike!r}, "
        f"type {kind!r} (C or P) and root {root!r}."
    )


def _quoted_at(cells: Sequence[str]) -> datetime:
    """The newest time that the rows name; ContractError when they name none, or several days."""
    distinct = Counter(cells)
    found = [moment for cell in distinct if (moment := instant(cell, unit="any", zone=NEW_YORK)) is not None]
    if not found:
        raise ContractError("The table does not say when its quotes were live.", remedy=ASOF_HELPS)
    days = {new_york(moment).date() for moment in found}
    if len(days) > 1:
        raise ContractError(
            f"The rows are of {len(days)} days, {min(days)} to {max(days)}.", remedy="Give those of one moment."
        )
    return last_quote_at(max(found)).astimezone(UTC)
