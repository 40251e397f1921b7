"""The bodies of `/chains` and `/expirationchain` (specs/schwab-wire.md §3.1-3.2)."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import msgspec

from streaming.calendar import new_york
from streaming.errors import RequestError
from streaming.sim.options.contract_lines import Group
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.instruments import RATE
from streaming.sim.prices.listing import Expiry
from streaming.sim.prices.tape import Tape
from streaming.sim.rest.chain_contract import MODEL_VOLATILITY, ChainContract, Side, contracts_of
from streaming.sim.rest.chain_query import ChainQuery, in_window, line_count, wanted_strikes
from streaming.sim.world.market import Market

MAX_CONTRACTS: Final = 4000
"""Beyond this many contracts the gateway's buffer overflows."""


_OF_TAPE: Final = {
    "symbol": "symbol", "close": "close", "tradeTime": "trade_ms", "last": "last", "mark": "last",
    "bidSize": "bid_size", "askSize": "ask_size", "highPrice": "high", "lowPrice": "low", "openPrice": "open",
    "totalVolume": "volume",
}  # fmt: skip
"""Of the quote of an underlying: Schwab's name and our tape's."""


Maps = dict[Side, dict[str, dict[str, list[msgspec.Struct]]]]
"""By side, date and strike."""


class TooBigError(RequestError):
    """The body would not fit the gateway's buffer."""


class ChainPayloads:
    """Makes chain bodies; every part is kept for as long as the market has not entered another second."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._second = -1
        self._bodies: dict[object, bytes] = {}
        self._parts: dict[tuple[str, int], list[ChainContract]] = {}
        self._encoder = msgspec.json.Encoder()

    def chain(self, query: ChainQuery) -> bytes:
        """The body; status FAILED with empty maps for what is unknown or empty. Raises TooBigError."""
        self._forget_old()
        if query not in self._bodies:
            self._bodies[query] = self._encoder.encode(self._chain(query))
        return self._bodies[query]

    def prepare(self, query: ChainQuery) -> Iterator[None]:
        """Make the contracts of a body, an expiry at each step, so that the loop may breathe in between."""
        self._forget_old()
        board = self._market.board(query.symbol)
        if board is None or query in self._bodies or self._too_big(board, query):
            return
        for group in self._groups(board, query):
            self._contracts(board, group)
            yield

    def expirations(self, symbol: str) -> bytes:
        """The body of `/expirationchain`, one row per root and date."""
        self._forget_old()
        board = self._market.board(symbol)
        groups = board.listed() if board else ()
        rows = [_expiration(group.expiry, self._today()) for group in groups]
        return self._encoder.encode({"expirationList": rows, "status": None})

    def _forget_old(self) -> None:
        second = self._market.now_ms // 1000
        if second != self._second:
            self._second = second
            self._bodies.clear()
            self._parts.clear()

    def _today(self) -> date:
        return new_york(self._market.now).date()

    def _chain(self, query: ChainQuery) -> dict[str, Any]:
        board = self._market.board(query.symbol)
        groups = self._groups(board, query) if board else []
        if board is None or not groups or not query.standard:
            return _failed(query.symbol)
        if self._too_big(board, query):
            raise TooBigError("Body buffer overflow")
        wanted = wanted_strikes(board, groups, query)
        maps: Maps = {"CALL": {}, "PUT": {}}
        count = 0
        for group in groups:
            day = f"{group.expiry.day}:{(group.expiry.day - self._today()).days}"
            for side, strike, shown in self._contracts(board, group):
                if side in query.sides and (wanted is None or (side, strike) in wanted):
                    maps[side].setdefault(day, {}).setdefault(str(strike), []).append(shown)
                    count += 1
        return self._envelope(query, board, groups[0], maps, count)

    def _groups(self, board: OptionBoard, query: ChainQuery) -> list[Group]:
        return [group for group in board.listed() if in_window(group.expiry, query)]

    def _too_big(self, board: OptionBoard, query: ChainQuery) -> bool:
        lines = line_count(self._groups(board, query), query.sides)
        return query.strike_count is None and lines > MAX_CONTRACTS

    def _envelope(
        self,
        query: ChainQuery,
        board: OptionBoard,
        first: Group,
        maps: Maps,
        count: int,
    ) -> dict[str, Any]:
        tape = self._market.tape(query.symbol)
        underlying = underlying_quote(tape, board) if tape is not None and query.include_underlying else None
        return _failed(query.symbol) | {
            "status": "SUCCESS" if count else "FAILED",
            "underlying": underlying,
            "isIndex": board.underlying.is_index,
            "interestRate": RATE * 100.0,
            "underlyingPrice": board.spot,
            "volatility": MODEL_VOLATILITY,
            "daysToExpiration": float((first.expiry.day - self._today()).days),
            "dividendYield": -1.0,
            "numberOfContracts": count,
            "assetMainType": "INDEX" if board.underlying.is_index else "EQUITY",
            "assetSubType": board.underlying.sub_type,
            "callExpDateMap": maps["CALL"],
            "putExpDateMap": maps["PUT"],
        }

    def _contracts(self, board: OptionBoard, group: Group) -> list[ChainContract]:
        key = (board.underlying.ticker, group.start)
        if key not in self._parts:
            self._parts[key] = contracts_of(board, group, today=self._today())
        return self._parts[key]


def _expiration(expiry: Expiry, today: date) -> dict[str, Any]:
    return {
        "expirationDate": expiry.day.isoformat(),
        "daysToExpiration": (expiry.day - today).days,
        "expirationType": expiry.type,
        "settlementType": "A" if expiry.am else "P",
        "optionRoots": expiry.root,
        "standard": True,
    }


def _failed(symbol: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "status": "FAILED",
        "underlying": None,
        "strategy": "SINGLE",
        "interval": 0.0,
        "isDelayed": False,
        "isIndex": False,
        "interestRate": 0.0,
        "underlyingPrice": 0.0,
        "volatility": 0.0,
        "daysToExpiration": 0.0,
        "dividendYield": 0.0,
        "numberOfContracts": 0,
        "isChainTruncated": False,
        "callExpDateMap": {},
        "putExpDateMap": {},
    }


def underlying_quote(tape: Tape, board: OptionBoard) -> dict[str, Any]:
    """The `underlying` object that `includeUnderlyingQuote=true` adds."""
    change = tape.last - tape.close
    moved, percent = round(change, 2), round(100.0 * change / tape.close, 2)
    return {name: getattr(tape, attribute) for name, attribute in _OF_TAPE.items()} | {
        "description": board.underlying.description,
        "change": moved,
        "percentChange": percent,
        "quoteTime": tape.quote_ms or tape.trade_ms,
        "bid": tape.bid or tape.last,
        "ask": tape.ask or tape.last,
        "markChange": moved,
        "markPercentChange": percent,
        "exchangeName": board.underlying.exchange_name,
        "fiftyTwoWeekHigh": round(tape.close * 1.06, 2),
        "fiftyTwoWeekLow": round(tape.close * 0.78, 2),
        "delayed": False,
    }
