"""The bodies of `/quotes` and `/markets` (specs/schwab-wire.md §3.3, §3.5)."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any, Final

import numpy as np

from streaming.calendar import NEW_YORK, TradingSession, new_york, session_on
from streaming.sim.options.option_board import OptionBoard
from streaming.sim.prices.instruments import FUTURES, Underlying
from streaming.sim.prices.listing import ex_dividend_days
from streaming.sim.prices.tape import Tape
from streaming.sim.stream.book_rows import hash_of
from streaming.sim.stream.numbered_rows import Row
from streaming.sim.stream.option_rows import OptionRows
from streaming.sim.stream.tape_rows import FutureRows
from streaming.sim.world.market import Market

MAX_SYMBOLS: Final = 500
_ALL: Final = frozenset(map(str, range(60)))
_DAY: Final = {
    "closePrice": "close", "highPrice": "high", "lastPrice": "last", "lowPrice": "low", "openPrice": "open",
    "totalVolume": "volume", "tradeTime": "trade_ms",
}  # fmt: skip
"""Of shares and indexes: Schwab's name and our tape's."""
_BEST: Final = {
    "askPrice": "ask", "askSize": "ask_size", "askTime": "quote_ms", "bidPrice": "bid", "bidSize": "bid_size",
    "bidTime": "quote_ms", "lastSize": "last_size", "mark": "last", "quoteTime": "quote_ms",
}  # fmt: skip
_EXTENDED: Final = {
    "askPrice": "ask", "askSize": "ask_size", "bidPrice": "bid", "bidSize": "bid_size", "lastPrice": "last",
    "lastSize": "last_size", "mark": "last", "quoteTime": "quote_ms", "tradeTime": "trade_ms",
}  # fmt: skip
_REGULAR: Final = {
    "regularMarketLastPrice": "last", "regularMarketLastSize": "last_size", "regularMarketTradeTime": "trade_ms",
}  # fmt: skip
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
MARKETS: Final = ("equity", "option", "bond", "future", "forex")
_PRODUCTS: Final = {
    "equity": (("EQ", "equity"),),
    "option": (("EQO", "equity option"), ("IND", "index option")),
    "bond": (("BON", "bond"),),
    "future": (("CME", "CME futures"),),
    "forex": (("forex", "forex"),),
}
_INDEX_LATER: Final = 15


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
    tape, item = market.tape(symbol), market.listed(symbol)
    if tape is not None:
        return _future(market, symbol, tape) if item is None else _equity(market, item, tape)
    found = market.board_of_option(symbol)
    return None if found is None else _option(market, symbol, *found)


def _equity(market: Market, item: Underlying, tape: Tape) -> dict[str, Any]:
    reference: Row = {"description": item.description, "exchange": item.exchange, "exchangeName": item.exchange_name}
    head: Row = {"assetMainType": "INDEX", "realtime": True, "ssid": hash_of(tape.symbol), "symbol": tape.symbol}
    quote = _equity_quote(market, tape)
    if item.is_index:
        return head | {"fundamental": _fundamental(item), "quote": quote, "reference": reference}
    head |= {"assetMainType": "EQUITY", "assetSubType": item.sub_type, "quoteType": "NBBO"}
    reference = {"cusip": item.cusip} | reference | {"isHardToBorrow": False, "isShortable": True, "htbRate": 0.0}
    return head | {
        "extended": _named(tape, _EXTENDED) | {"totalVolume": 0},
        "fundamental": _fundamental(item) | _dividends(new_york(market.now).date()),
        "quote": quote | _best(item, tape),
        "reference": reference,
        "regular": _regular(tape),
    }


def _equity_quote(market: Market, tape: Tape) -> Row:
    change, percent = _moved(tape)
    year = {"52WeekHigh": round(tape.close * 1.06, 2), "52WeekLow": round(tape.close * 0.78, 2)}
    moved = {"netChange": change, "netPercentChange": percent, "securityStatus": market.status(tape)}
    return year | _named(tape, _DAY) | moved


def _best(item: Underlying, tape: Tape) -> Row:
    change, percent = _moved(tape)
    marked = {"markChange": change, "markPercentChange": percent}
    after = {"postMarketChange": 0.0, "postMarketPercentChange": 0.0}
    return dict.fromkeys(("askMICId", "bidMICId", "lastMICId"), item.mic) | _named(tape, _BEST) | marked | after


def _regular(tape: Tape) -> Row:
    change, percent = _moved(tape)
    return _named(tape, _REGULAR) | {"regularMarketNetChange": change, "regularMarketPercentChange": percent}


def _moved(tape: Tape) -> tuple[float, float]:
    """Since the last close: in points and in percent."""
    change = round(tape.last - tape.close, 4)
    return change, round(100.0 * change / tape.close, 8)


def _named(tape: Tape, names: Mapping[str, str]) -> Row:
    return {name: getattr(tape, attribute) for name, attribute in names.items()}


def _fundamental(item: Underlying) -> Row:
    nothing: Row = dict.fromkeys(("divAmount", "divPayAmount", "eps", "fundLeverageFactor", "peRatio"), 0.0)
    volumes = dict.fromkeys(("avg10DaysVolume", "avg1YearVolume"), item.shares_per_s * 23400.0)
    return nothing | volumes | {"divFreq": 0, "divYield": 0.0 if item.is_index else item.dividend_yield * 100.0}


def _dividends(today: date) -> Row:
    last, following = ex_dividend_days(today)
    return {"divFreq": 4, "divExDate": f"{last}T05:00:00Z", "nextDivExDate": f"{following}T05:00:00Z"}


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


def hours_body(markets: tuple[str, ...], day: date) -> dict[str, Any]:
    """Hours of each market on `day`."""
    session = session_on(day)
    return {market: _closed(market, day) if session is None else _open(market, session) for market in markets}


def _closed(market: str, day: date) -> dict[str, Any]:
    return {market: {"date": day.isoformat(), "marketType": market.upper(), "product": market, "isOpen": False}}


def _open(market: str, session: TradingSession) -> dict[str, Any]:
    return {
        product: {
            "date": session.date.isoformat(),
            "marketType": market.upper(),
            "product": product,
            "productName": name,
            "isOpen": True,
            "sessionHours": _hours(product, session),
        }
        for product, name in _PRODUCTS[market]
    }


def _hours(product: str, session: TradingSession) -> dict[str, Any]:
    close = session.close_at
    if product == "IND":
        close = close.replace(minute=_INDEX_LATER)
    hours = {"regularMarket": [_span(session.open_at, close)]}
    if product != "EQ":
        return hours
    first = datetime.combine(session.date, time(7), NEW_YORK)
    last = datetime.combine(session.date, time(20), NEW_YORK)
    return {"preMarket": [_span(first, session.open_at)]} | hours | {"postMarket": [_span(close, last)]}


def _span(start: datetime, end: datetime) -> dict[str, str]:
    return {"start": start.isoformat(), "end": end.isoformat()}
