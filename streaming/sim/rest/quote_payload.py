"""The bodies of `/quotes`: indexes, shares, options and futures with their named fields (specs/schwab-wire.md §3.3)."""

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from streaming.calendar import new_york
from streaming.sim.market import Market
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.instruments import FUTURES, Underlying
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.book_rows import hash_of
from streaming.sim.stream.future_rows import FutureRows
from streaming.sim.stream.numbered_rows import Row
from streaming.sim.stream.option_rows import OptionRows

MAX_SYMBOLS: Final = 500
_ALL: Final = frozenset(map(str, range(60)))
_OPTION_FIELDS: Final = {
    "50": "52WeekHigh", "51": "52WeekLow", "3": "askPrice", "17": "askSize", "2": "bidPrice", "16": "bidSize",
    "7": "closePrice", "28": "delta", "29": "gamma", "5": "highPrice", "52": "indAskPrice", "53": "indBidPrice",
    "54": "indQuoteTime", "47": "impliedYield", "4": "lastPrice", "18": "lastSize", "6": "lowPrice", "37": "mark",
    "45": "markChange", "46": "markPercentChange", "11": "moneyIntrinsicValue", "19": "netChange",
    "44": "netPercentChange", "9": "openInterest", "15": "openPrice", "38": "quoteTime", "32": "rho",
    "33": "securityStatus", "34": "theoreticalOptionValue", "30": "theta", "25": "timeValue", "8": "totalVolume",
    "39": "tradeTime", "35": "underlyingPrice", "31": "vega", "10": "volatility",
}  # fmt: skip
_FUTURE_FIELDS: Final = {
    "2": "askPrice", "5": "askSize", "37": "askTime", "1": "bidPrice", "4": "bidSize", "38": "bidTime",
    "14": "closePrice", "20": "futurePercentChange", "12": "highPrice", "3": "lastPrice", "9": "lastSize",
    "13": "lowPrice", "24": "mark", "19": "netChange", "23": "openInterest", "18": "openPrice", "10": "quoteTime",
    "39": "quotedInSession", "22": "securityStatus", "25": "tick", "26": "tickAmount", "8": "totalVolume",
    "11": "tradeTime",
}  # fmt: skip


def quotes_body(market: Market, symbols: Iterable[str], fields: frozenset[str]) -> dict[str, Any]:
    """Quotes by symbol; those unknown are listed under `errors`. `fields` empty means all blocks."""
    body: dict[str, Any] = {}
    invalid = []
    for symbol in symbols:
        quote = quote_of(market, symbol)
        if quote is None:
            invalid.append(symbol)
        else:
            body[symbol] = {
                name: value
                for name, value in quote.items()
                if not isinstance(value, dict) or not fields or name in fields
            }
    if invalid:
        body["errors"] = {"invalidCusips": [], "invalidSSIDs": [], "invalidSymbols": invalid}
    return body


def quote_of(market: Market, symbol: str) -> dict[str, Any] | None:
    """One symbol's quote object, or None when there is no such symbol."""
    tape = market.tape(symbol)
    if tape is not None:
        return _future(market, symbol, tape) if tape.kind == "future" else _equity(market, tape)
    found = market.board_of_option(symbol)
    return None if found is None else _option(market, symbol, *found)


def _equity(market: Market, tape: Tape) -> dict[str, Any]:
    item = next(item for item in market.underlyings if item.wire == tape.symbol)
    reference: Row = {"description": item.description, "exchange": item.exchange, "exchangeName": item.exchange_name}
    head: Row = {"assetMainType": "INDEX", "realtime": True, "ssid": hash_of(tape.symbol), "symbol": tape.symbol}
    quote = _equity_quote(market, tape)
    if item.is_index:
        return head | {"fundamental": _fundamental(item), "quote": quote, "reference": reference}
    head |= {"assetMainType": "EQUITY", "assetSubType": item.sub_type, "quoteType": "NBBO"}
    reference = {"cusip": item.cusip} | reference | {"isHardToBorrow": False, "isShortable": True, "htbRate": 0.0}
    return head | {
        "extended": _extended(tape),
        "fundamental": _fundamental(item),
        "quote": quote | _best(item, tape),
        "reference": reference,
        "regular": _regular(tape),
    }


def _equity_quote(market: Market, tape: Tape) -> Row:
    change = round(tape.last - tape.close, 4)
    return {
        "52WeekHigh": round(tape.close * 1.06, 2),
        "52WeekLow": round(tape.close * 0.78, 2),
        "closePrice": tape.close,
        "highPrice": tape.high,
        "lastPrice": tape.last,
        "lowPrice": tape.low,
        "netChange": change,
        "netPercentChange": round(100.0 * change / tape.close, 8),
        "openPrice": tape.open,
        "securityStatus": market.status(tape),
        "totalVolume": tape.volume,
        "tradeTime": tape.trade_ms,
    }


def _best(item: Underlying, tape: Tape) -> Row:
    change = round(tape.last - tape.close, 4)
    return {
        "askMICId": item.mic,
        "askPrice": tape.ask,
        "askSize": tape.ask_size,
        "askTime": tape.quote_ms,
        "bidMICId": item.mic,
        "bidPrice": tape.bid,
        "bidSize": tape.bid_size,
        "bidTime": tape.quote_ms,
        "lastMICId": item.mic,
        "lastSize": tape.last_size,
        "mark": tape.last,
        "markChange": change,
        "markPercentChange": round(100.0 * change / tape.close, 8),
        "postMarketChange": 0.0,
        "postMarketPercentChange": 0.0,
        "quoteTime": tape.quote_ms,
    }


def _extended(tape: Tape) -> Row:
    return {
        "askPrice": tape.ask,
        "askSize": tape.ask_size,
        "bidPrice": tape.bid,
        "bidSize": tape.bid_size,
        "lastPrice": tape.last,
        "lastSize": tape.last_size,
        "mark": tape.last,
        "quoteTime": tape.quote_ms,
        "totalVolume": 0,
        "tradeTime": tape.trade_ms,
    }


def _regular(tape: Tape) -> Row:
    change = round(tape.last - tape.close, 4)
    return {
        "regularMarketLastPrice": tape.last,
        "regularMarketLastSize": tape.last_size,
        "regularMarketNetChange": change,
        "regularMarketPercentChange": round(100.0 * change / tape.close, 8),
        "regularMarketTradeTime": tape.trade_ms,
    }


def _fundamental(item: Underlying) -> Row:
    return {
        "avg10DaysVolume": item.shares_per_s * 23400.0,
        "avg1YearVolume": item.shares_per_s * 23400.0,
        "divAmount": 0.0,
        "divFreq": 0,
        "divPayAmount": 0.0,
        "divYield": 0.0 if item.is_index else item.dividend_yield * 100.0,
        "eps": 0.0,
        "fundLeverageFactor": 0.0,
        "peRatio": 0.0,
    }


def _option(market: Market, symbol: str, board: OptionBoard, row: int) -> dict[str, Any]:
    rows = OptionRows(market)
    level_one = (rows.fixed(symbol) or {}) | rows.live((symbol,), _ALL).get(symbol, {})
    expiry, wire = board.group_of(row).expiry, board.underlying.wire
    return {
        "assetMainType": "OPTION",
        "realtime": True,
        "ssid": hash_of(symbol),
        "symbol": symbol,
        "quote": {name: level_one[number] for number, name in _OPTION_FIELDS.items()},
        "reference": {
            "contractType": level_one["21"],
            "daysToExpiration": (expiry.day - new_york(market.now).date()).days,
            "deliverables": f"100 {wire}",
            "description": level_one["1"],
            "exchange": "O",
            "exchangeName": "OPR",
            "exerciseType": level_one["55"],
            "expirationDay": expiry.day.day,
            "expirationMonth": expiry.day.month,
            "expirationType": expiry.type,
            "expirationYear": expiry.day.year,
            "isPennyPilot": level_one["48"],
            "lastTradingDay": expiry.last_trading_ms,
            "multiplier": 100.0,
            "settlementType": level_one["43"],
            "strikePrice": float(np.float64(board.lines.strike[row])),
            "underlying": wire,
            "underlyingAssetType": "INDEX" if board.underlying.is_index else "EQUITY",
        },
    }


def _future(market: Market, symbol: str, tape: Tape) -> dict[str, Any]:
    rows = FutureRows(market)
    level_one = (rows.fixed(symbol) or {}) | rows.live((symbol,), _ALL).get(symbol, {})
    contract, future = market.contract(tape.symbol), FUTURES[tape.symbol]
    return {
        "assetMainType": "FUTURE",
        "quote": {name: level_one[number] for number, name in _FUTURE_FIELDS.items()} | {"settleTime": 0},
        "realtime": True,
        "reference": {
            "description": contract.description,
            "exchange": "@",
            "exchangeName": "XCME",
            "futureActiveSymbol": contract.symbol,
            "futureExpirationDate": int(contract.expires_at.timestamp() * 1000),
            "futureIsActive": True,
            "futureIsTradable": True,
            "futureMultiplier": future.multiplier,
            "futurePriceFormat": "D,D",
            "futureSettlementPrice": tape.close,
            "futureTradingHours": level_one["29"],
            "product": future.root,
        },
        "ssid": 0,
        "symbol": symbol,
    }
