"""SCREENER_EQUITY and SCREENER_OPTION: the simulated universe, sorted (specs/schwab-wire.md §2.14)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from streaming.sim.market import Market
from streaming.sim.options.board import OptionBoard
from streaming.sim.stream.rows import Row, number, only

ScreenerService = Literal["SCREENER_EQUITY", "SCREENER_OPTION"]
Item = dict[str, Any]
_PREFIXES: Final[dict[ScreenerService, frozenset[str]]] = {
    "SCREENER_EQUITY": frozenset(
        {"$COMPX", "$DJI", "$SPX.X", "INDEX_ALL", "NYSE", "NASDAQ", "OTCBB", "EQUITY_ALL"},
    ),
    "SCREENER_OPTION": frozenset({"OPTION_PUT", "OPTION_CALL", "OPTION_ALL"}),
}
_SORTS: Final = ("AVERAGE_PERCENT_VOLUME", "PERCENT_CHANGE_UP", "PERCENT_CHANGE_DOWN", "VOLUME", "TRADES")
_FREQUENCIES: Final = frozenset({"0", "1", "5", "10", "30", "60"})
_VENUES: Final = {"NYSE": frozenset("NP"), "NASDAQ": frozenset("Q"), "OTCBB": frozenset("U")}
_LENGTH: Final = 10
_EVERY_S: Final = 5
_TRADE: Final = 5


@dataclass(frozen=True, slots=True)
class Screen:
    """What a key asks for."""

    prefix: str
    sort: str
    minutes: int


def parse_screen(service: ScreenerService, key: str) -> Screen | None:
    """The screen of `NASDAQ_VOLUME_30`; None for what does not exist."""
    head, _, frequency = key.rpartition("_")
    sort = next((name for name in _SORTS if head.endswith(f"_{name}")), None)
    if sort is None or frequency not in _FREQUENCIES:
        return None
    prefix = head.removesuffix(f"_{sort}")
    return Screen(prefix, sort, int(frequency)) if prefix in _PREFIXES[service] else None


@dataclass(slots=True)
class ScreenerRows:
    """One screener; its lists are made anew every five seconds, and every row is the whole list."""

    market: Market
    service: ScreenerService
    _made: dict[str, tuple[int, Row]] = field(default_factory=dict)

    def fixed(self, key: str) -> Row | None:
        return None if parse_screen(self.service, key) is None else {}

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, parse_screen(self.service, key)) for key in keys)
        return {key: only(self._row(key, screen), fields) for key, screen in found if screen is not None}

    def _row(self, key: str, screen: Screen) -> Row:
        turn = self.market.now_ms // 1000 // _EVERY_S
        made_in, row = self._made.get(key, (-1, {}))
        if made_in != turn:
            row = self._make(screen)
            self._made[key] = (turn, row)
        return row

    def _make(self, screen: Screen) -> Row:
        option = self.service == "SCREENER_OPTION"
        items = list(self._options(screen.prefix) if option else self._shares(screen.prefix))
        total = sum(item["volume"] for item in items)
        listed = sorted(items, key=lambda item: _rank(item, screen.sort), reverse=True)[:_LENGTH]
        for item in listed:
            item |= {"marketShare": number(100.0 * item["volume"] / max(total, 1), 2), "totalVolume": total}
        return {"1": self.market.now_ms, "2": screen.sort, "3": screen.minutes, "4": listed}

    def _shares(self, prefix: str) -> Iterator[Item]:
        for share in self.market.underlyings:
            tape = self.market.tape(share.wire)
            if tape is not None and not share.is_index and share.exchange in _VENUES.get(prefix, share.exchange):
                yield _item(share.wire, share.description, tape.last, tape.close, tape.volume)

    def _options(self, prefix: str) -> Iterator[Item]:
        for share in self.market.underlyings:
            board = self.market.board(share.wire)
            if board is not None:
                yield from _busiest(board, prefix)


def _busiest(board: OptionBoard, prefix: str) -> Iterator[Item]:
    lines, trades = board.lines, board.trades
    wanted = {"OPTION_CALL": lines.is_call, "OPTION_PUT": ~lines.is_call}.get(prefix, np.ones(len(lines), dtype=bool))
    volume = np.where(wanted & (lines.settle_s > board.now_s), lines.volume, 0)
    for row in np.argsort(-volume, kind="stable")[: 2 * _LENGTH].tolist():
        if volume[row]:
            close = float(trades.close[row])
            yield _item(lines.symbol[row], lines.symbol[row], float(trades.last[row]), close, int(volume[row]))


def _item(symbol: str, description: str, last: float, close: float, volume: int) -> Item:
    change = last - close
    return {
        "symbol": symbol,
        "description": description,
        "lastPrice": number(last),
        "netChange": number(change),
        "netPercentChange": number(change / close, 6) if close > 0.0 else 0,
        "marketShare": 0,
        "totalVolume": 0,
        "volume": volume,
        "trades": volume // _TRADE,
    }


def _rank(item: Item, sort: str) -> float:
    if sort == "PERCENT_CHANGE_UP":
        return float(item["netPercentChange"])
    if sort == "PERCENT_CHANGE_DOWN":
        return -float(item["netPercentChange"])
    return float(item["trades"] if sort == "TRADES" else item["volume"])
