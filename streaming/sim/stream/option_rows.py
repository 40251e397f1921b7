"""LEVELONE_OPTIONS (specs/schwab-wire.md §2.7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import new_york
from streaming.sim.options.option_board import OptionBoard, OptionQuotes
from streaming.sim.stream.numbered_rows import Row, number
from streaming.sim.stream.option_columns import Marks, marks
from streaming.sim.world.market import Market

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OptionRows:
    """Rows of LEVELONE_OPTIONS: full-precision greeks, volatility in percent; 0 where the model fails."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        found = self.market.board_of_option(key)
        return None if found is None else self._traits(*found)

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        usual = "Normal" if self.market.is_open else "Closed"
        live: dict[str, Row] = {}
        for board, rows in self.market.boards_of_options(keys).values():
            status = "Halted" if board.halted else usual
            live |= _live_options(board, np.array(rows), fields, status=status)
        return live

    def _traits(self, board: OptionBoard, row: int) -> Row:
        lines, expiry = board.lines, board.group_of(row).expiry
        strike, kind = float(lines.strike[row]), "C" if lines.is_call[row] else "P"
        wire, close = board.underlying.wire, float(board.trades.close[row])
        return {
            "delayed": False,
            "assetMainType": "OPTION",
            "1": f"{expiry.root} {expiry.day:%m/%d/%Y} {strike:.2f} {kind}",
            "7": number(close),
            "9": int(lines.open_interest[row]),
            "12": expiry.day.year,
            "13": 100,
            "14": 2,
            "20": number(strike),
            "21": kind,
            "22": wire,
            "23": expiry.day.month,
            "24": f"100 {wire}",
            "26": expiry.day.day,
            "27": (expiry.day - new_york(self.market.now).date()).days,
            "36": expiry.type,
            "40": "O",
            "41": "OPR",
            "42": expiry.last_trading_ms,
            "43": "A" if expiry.am else "P",
            "47": 0,
            "48": not board.underlying.is_index,
            "49": expiry.root,
            "50": number(close * 1.8, 2),
            "51": number(close * 0.4, 2),
            "52": 0,
            "53": 0,
            "54": 0,
            "55": "E" if board.underlying.is_index else "A",
        }


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What the live columns of some rows are made of."""

    board: OptionBoard
    quotes: OptionQuotes
    marks: Marks

    def modelled(self, column: Floats) -> Floats:
        """0 where, or when, the model gives nothing."""
        if self.board.asleep:
            return np.zeros(column.shape)
        return np.where(self.quotes.failed, 0.0, np.nan_to_num(column))


_COLUMNS: Final[dict[str, Callable[[_View], NDArray[Any]]]] = {
    "2": lambda view: view.quotes.bid,
    "3": lambda view: view.quotes.ask,
    "4": lambda view: view.marks.last,
    "5": lambda view: view.board.trades.high[view.quotes.rows],
    "6": lambda view: view.board.trades.low[view.quotes.rows],
    "8": lambda view: view.board.lines.volume[view.quotes.rows],
    "10": lambda view: view.modelled(view.quotes.iv * 100.0),
    "11": lambda view: view.marks.intrinsic,
    "15": lambda view: view.board.trades.open[view.quotes.rows],
    "16": lambda view: view.quotes.bid_size,
    "17": lambda view: view.quotes.ask_size,
    "18": lambda view: view.board.trades.last_size[view.quotes.rows],
    "19": lambda view: view.marks.net_change,
    "25": lambda view: view.marks.time_value,
    "28": lambda view: view.modelled(view.quotes.delta),
    "29": lambda view: view.modelled(view.quotes.gamma),
    "30": lambda view: view.modelled(view.quotes.theta),
    "31": lambda view: view.modelled(view.quotes.vega),
    "32": lambda view: view.modelled(view.quotes.rho),
    "33": lambda view: np.zeros(view.quotes.rows.size),
    "34": lambda view: view.modelled(view.quotes.theoretical),
    "35": lambda view: np.full(view.quotes.rows.size, view.board.spot),
    "37": lambda view: view.marks.mark,
    "38": lambda view: view.quotes.quote_ms,
    "39": lambda view: view.board.trades.trade_ms[view.quotes.rows],
    "44": lambda view: view.marks.net_percent,
    "45": lambda view: view.marks.mark_change,
    "46": lambda view: view.marks.mark_percent,
}
_WHOLE: Final = frozenset({"2", "3", "4", "10", "28", "35"})
"""Columns whose whole numbers lose their decimal point, as it happens in production."""


def _live_options(board: OptionBoard, rows: Rows, fields: frozenset[str], *, status: str) -> dict[str, Row]:
    quotes = board.quotes(rows)
    view = _View(board, quotes, marks(board, quotes))
    names = tuple(name for name in _COLUMNS if name in fields)
    columns = [_plain(name, _COLUMNS[name](view)) if name != "33" else [status] * rows.size for name in names]
    keys = [board.lines.symbol[row] for row in rows.tolist()]
    values = zip(*columns, strict=True) if columns else [()] * len(keys)
    return {key: dict(zip(names, row, strict=True)) for key, row in zip(keys, values, strict=True)}


def _plain(name: str, column: NDArray[Any]) -> list[Any]:
    values: list[Any] = column.tolist() if column.dtype.kind == "i" else np.round(column, 8).tolist()
    return [int(value) if value == int(value) else value for value in values] if name in _WHOLE else values
