"""Option symbols as columns: thousands of `SPXW240105C01200000` read at once, without a loop over them."""

from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from streaming.calendar import settle_at
from streaming.symbols import is_am_settled

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
ROOT_WIDTH: Final = 6
WIDTH: Final = 21
TAIL: Final = 15
_ZERO: Final = ord("0")
_NINE: Final = ord("9")
_SPACE: Final = ord(" ")
_SIDE: Final = 12
_STRIKE: Final = 13
_CODES: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class SymbolColumns:
    """What N symbols say; `symbol` is padded to the 21-character form."""

    symbol: NDArray[np.str_]
    root: NDArray[np.str_]
    expiry: NDArray[np.datetime64]
    settle_s: NDArray[np.float64]
    strike: NDArray[np.float64]
    is_call: NDArray[np.bool_]


def symbol_grid(data: Bytes, start: Ints, end: Ints) -> Bytes:
    """Symbols at `data[start:end]`, one row per character of the 21, roots padded; blank where the length is wrong.

    Shape (21, N): whole rows are compared and added at once.
    """
    texts = np.full((start.size, WIDTH), _SPACE, np.uint8)
    root_width = end - start - TAIL
    for width in range(1, ROOT_WIDTH + 1):
        rows = np.flatnonzero(root_width == width)
        if rows.size:
            found = sliding_window_view(data, width + TAIL)[start[rows]]
            texts[rows, :width], texts[rows, ROOT_WIDTH:] = found[:, :width], found[:, width:]
    return np.ascontiguousarray(texts.T)


def is_symbol(grid: Bytes) -> NDArray[np.bool_]:
    """Which columns are a root, a date of six digits, C or P, and a strike of eight digits that is not 0."""
    valid: NDArray[np.bool_] = (grid[_SIDE] == ord("C")) | (grid[_SIDE] == ord("P"))
    valid &= grid[0] != _SPACE
    for place in (*range(ROOT_WIDTH, _SIDE), *range(_STRIKE, WIDTH)):
        valid &= (grid[place] >= _ZERO) & (grid[place] <= _NINE)
    valid &= (grid[_STRIKE:] != _ZERO).any(axis=0)
    codes, at = _distinct(np.where(valid, _number(grid[ROOT_WIDTH:_SIDE]), 0))
    known = np.array([_date(code) is not None for code in codes.tolist()], np.bool_)
    valid &= known[at]
    return valid


def read_symbols(grid: Bytes) -> SymbolColumns:
    """What symbols say; every column of `grid` must be one. Settlement is by the root (`specs/gex-method.md` §5)."""
    codes, at = _distinct(_number(grid[ROOT_WIDTH:_SIDE]))
    days = [day for code in codes.tolist() if (day := _date(code)) is not None]
    root = _text(np.where(grid[:ROOT_WIDTH] == _SPACE, 0, grid[:ROOT_WIDTH]))
    return SymbolColumns(
        symbol=_text(grid),
        root=root,
        expiry=np.array(days, "datetime64[D]")[at],
        settle_s=_settlements(root, days, at),
        strike=_number(grid[_STRIKE:]) / 1000.0,
        is_call=grid[_SIDE] == ord("C"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """What columns of characters list."""

    valid: NDArray[np.bool_]
    """Which of them are symbols."""
    symbols: SymbolColumns
    """What those say; nobody may change it."""

    @property
    def kept(self) -> slice | NDArray[np.bool_]:
        """Picks what is said of the valid ones out of columns of all."""
        return slice(None) if self.valid.all() else self.valid


def listing_of(grid: Bytes) -> Listing:
    """Symbols told from what is none, and read; a feed lists the same again and again, and of that it is the same."""
    return _listing(grid.tobytes())


@lru_cache(maxsize=4)
def _listing(characters: bytes) -> Listing:
    grid = np.frombuffer(characters, np.uint8).reshape(WIDTH, -1)
    valid = is_symbol(grid)
    symbols = read_symbols(grid if valid.all() else grid[:, valid])
    for field in fields(symbols):
        getattr(symbols, field.name).flags.writeable = False
    return Listing(valid, symbols)


def _text(grid: Bytes) -> NDArray[np.str_]:
    """Columns of characters as strings; NumPy ends short ones with zeros."""
    wide = np.ascontiguousarray(grid.T, np.uint32)
    text: NDArray[np.str_] = wide.view(f"=U{grid.shape[0]}").ravel()
    return text


def _distinct(codes: Ints) -> tuple[Ints, Ints]:
    """The distinct dates (six digits), ascending, and which of them each is; a table of all dates beats sorting."""
    seen = np.zeros(_CODES, np.bool_)
    seen[codes] = True
    values = np.flatnonzero(seen)
    return values, np.searchsorted(values, codes)


def _settlements(root: NDArray[np.str_], days: list[date], at: Ints) -> NDArray[np.float64]:
    am = np.zeros(root.size, np.intp)
    for name, rows in rows_by_root(root).items():
        am[rows] = is_am_settled(name)
    table = np.array([[settle_at(day, am=morning).timestamp() for day in days] for morning in (False, True)])
    settle_s: NDArray[np.float64] = table.reshape(2, len(days))[am, at]
    return settle_s


def rows_by_root(root: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    """Which rows have each root; there are a handful, so one comparison each beats sorting text."""
    found: dict[str, NDArray[np.intp]] = {}
    unseen = np.ones(root.size, np.bool_)
    while (rest := int(unseen.argmax()) if unseen.any() else -1) >= 0:
        same = root == root[rest]
        found[str(root[rest])] = np.flatnonzero(same)
        unseen &= ~same
    return found


def _number(digits: Bytes) -> Ints:
    value = np.zeros(digits.shape[1], np.int64)
    for digit in digits:
        value *= 10
        value += digit
    value -= _ZERO * (10 ** digits.shape[0] // 9)
    return value


def _date(code: int) -> date | None:
    try:
        return date(2000 + code // 10_000, code // 100 % 100, code % 100)
    except ValueError:
        return None
