"""LEVELONE_OPTIONS (schwab-api.md §2.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from streaming.calendar import new_york
from streaming.sim.board import OptionBoard
from streaming.sim.market import Market
from streaming.sim.option_columns import marks
from streaming.sim.rows import Row, number


@dataclass(frozen=True, slots=True)
class OptionRows:
    """Rows of LEVELONE_OPTIONS: full-precision greeks, volatility in percent; 0 where the model fails."""

    market: Market

    def fixed(self, key: str) -> Row | None:
        found = self.market.board_of_option(key)
        return None if found is None else self._traits(*found)

    def live(self, keys: Sequence[str]) -> dict[str, Row]:
        by_board: dict[str, tuple[OptionBoard, list[int]]] = {}
        for key in keys:
            found = self.market.board_of_option(key)
            if found is not None:
                board, row = found
                by_board.setdefault(board.underlying.ticker, (board, []))[1].append(row)
        live: dict[str, Row] = {}
        for board, rows in by_board.values():
            live |= _live_options(board, np.array(rows), status="Normal" if self.market.is_open else "Closed")
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


def _live_options(board: OptionBoard, rows: Any, *, status: str) -> dict[str, Row]:
    quotes = board.quotes(rows)
    value, trades = marks(board, quotes), board.trades
    ok = ~quotes.failed
    columns = {
        "2": quotes.bid,
        "3": quotes.ask,
        "4": value.last,
        "5": trades.high[rows],
        "6": trades.low[rows],
        "8": board.lines.volume[rows],
        "10": np.where(ok, quotes.iv * 100.0, 0.0),
        "11": value.intrinsic,
        "15": trades.open[rows],
        "16": quotes.bid_size,
        "17": quotes.ask_size,
        "18": trades.last_size[rows],
        "19": value.net_change,
        "25": value.time_value,
        "28": np.where(ok, quotes.delta, 0.0),
        "29": np.where(ok, quotes.gamma, 0.0),
        "30": np.where(ok, quotes.theta, 0.0),
        "31": np.where(ok, quotes.vega, 0.0),
        "32": np.where(ok, quotes.rho, 0.0),
        "33": np.zeros(rows.size),
        "34": np.where(ok, quotes.theoretical, 0.0),
        "35": np.full(rows.size, board.spot),
        "37": value.mark,
        "38": quotes.quote_ms,
        "39": trades.trade_ms[rows],
        "44": value.net_percent,
        "45": value.mark_change,
        "46": value.mark_percent,
    }
    plain: list[list[Any]] = [_whole(np.round(np.nan_to_num(column), 8).tolist()) for column in columns.values()]
    names = tuple(columns)
    spot = {"33": status, "35": number(board.spot)}
    keys = [board.lines.symbol[row] for row in rows.tolist()]
    return {
        key: dict(zip(names, row, strict=True)) | spot for key, row in zip(keys, zip(*plain, strict=True), strict=True)
    }


def _whole(values: list[float]) -> list[float]:
    return [int(value) if value == int(value) else value for value in values]
