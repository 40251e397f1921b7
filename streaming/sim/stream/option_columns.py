"""Derived columns of option rows that REST and streamer both show: marks, changes, values. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streaming.sim.options.option_board import OptionBoard, OptionQuotes

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Prices of the day and what follows from them, all in points or percent."""

    mark: Floats
    last: Floats
    close: Floats
    net_change: Floats
    net_percent: Floats
    mark_change: Floats
    mark_percent: Floats
    intrinsic: Floats
    """How far in the money, negative when out of it."""
    time_value: Floats
    """The last price less what exercise would bring."""


def marks(board: OptionBoard, quotes: OptionQuotes) -> Marks:
    """Marks of the rows in `quotes`."""
    rows, trades = quotes.rows, board.trades
    mark = (quotes.bid + quotes.ask) / 2.0
    last, close = trades.last[rows], trades.close[rows]
    side = np.where(board.lines.is_call[rows], 1.0, -1.0)
    intrinsic = side * (board.spot - board.lines.strike[rows])
    return Marks(
        mark=mark,
        last=last,
        close=close,
        net_change=last - close,
        net_percent=_percent(last - close, close),
        mark_change=mark - close,
        mark_percent=_percent(mark - close, close),
        intrinsic=intrinsic,
        time_value=last - np.maximum(intrinsic, 0.0),
    )


def _percent(change: Floats, base: Floats) -> Floats:
    return np.where(base > 0.0, 100.0 * change / np.maximum(base, 0.01), 0.0)
