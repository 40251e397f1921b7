"""Option symbols as columns: thousands of `SPXW240105C01200000` read at once, without a loop over them."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
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
    """Symbols at `data[start:end]` as rows of 21 characters, the root padded; blank where the length is wrong."""
    grid = np.full((start.size, WIDTH), _SPACE, np.uint8)
    root_width = end - start - TAIL
    fits = np.flatnonzero((root_width > 0) & (root_width <= ROOT_WIDTH))
    grid[fits, ROOT_WIDTH:] = data[end[fits, None] + np.arange(-TAIL, 0)]
    for width in np.unique(root_width[fits]).tolist():
        rows = fits[root_width[fits] == width]
        grid[rows, :width] = data[start[rows, None] + np.arange(width)]
    return grid


def is_symbol(grid: Bytes) -> NDArray[np.bool_]:
    """Which rows are a root, a date of six digits, C or P, and a strike of eight digits."""
    digits = (grid >= _ZERO) & (grid <= _NINE)
    digits[:, :ROOT_WIDTH] = True
    digits[:, _SIDE] = (grid[:, _SIDE] == ord("C")) | (grid[:, _SIDE] == ord("P"))
    valid: NDArray[np.bool_] = digits.all(axis=1) & (grid[:, 0] != _SPACE)
    rows = np.flatnonzero(valid)
    codes, at = np.unique(_number(grid[rows, ROOT_WIDTH:_SIDE]), return_inverse=True)
    valid[rows] = np.array([_date(code) is not None for code in codes.tolist()], np.bool_)[at]
    return valid


def read_symbols(grid: Bytes) -> SymbolColumns:
    """The columns of rows that are symbols; settlement is by the root (`gex.md` §5)."""
    codes, at = np.unique(_number(grid[:, ROOT_WIDTH:_SIDE]), return_inverse=True)
    days = [day for code in codes.tolist() if (day := _date(code)) is not None]
    roots = np.where(grid[:, :ROOT_WIDTH] == _SPACE, 0, grid[:, :ROOT_WIDTH])
    root = _text(roots)
    return SymbolColumns(
        symbol=_text(grid),
        root=root,
        expiry=np.array(days, "datetime64[D]")[at],
        settle_s=_settlements(root, days, at),
        strike=_number(grid[:, _STRIKE:]) / 1000.0,
        is_call=grid[:, _SIDE] == ord("C"),
    )


def _text(grid: Bytes) -> NDArray[np.str_]:
    """Rows of characters as strings; NumPy ends short ones with zeros."""
    wide = np.ascontiguousarray(grid, np.uint32)
    text: NDArray[np.str_] = wide.view(f"=U{grid.shape[1]}").ravel()
    return text


def _settlements(root: NDArray[np.str_], days: list[date], at: Ints) -> NDArray[np.float64]:
    am = np.zeros(root.size, np.intp)
    unseen = np.ones(root.size, np.bool_)
    while (rest := np.flatnonzero(unseen)).size:
        same = root == root[rest[0]]
        am[same] = is_am_settled(str(root[rest[0]]))
        unseen[same] = False
    table = np.array([[settle_at(day, am=morning).timestamp() for day in days] for morning in (False, True)])
    settle_s: NDArray[np.float64] = table.reshape(2, len(days))[am, at]
    return settle_s


def _number(digits: Bytes) -> Ints:
    value = np.zeros(digits.shape[0], np.int64)
    for column in range(digits.shape[1]):
        value *= 10
        value += digits[:, column].astype(np.int64) - _ZERO
    return value


def _date(code: int) -> date | None:
    try:
        return date(2000 + code // 10_000, code // 100 % 100, code % 100)
    except ValueError:
        return None
