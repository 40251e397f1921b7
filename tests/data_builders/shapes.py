"""The same market in the shapes that vendors send: CBOE's table and JSON, Schwab's chain, TD Ameritrade's older one."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

from tests.data_builders.market import Line, Market
from tests.support.slow_gex import NEW_YORK, settles

COLUMNS = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
Json = dict[str, Any]


def cboe_table(
    market: Market, *, name: str, clock: str, before: str = "\n", commas: str = "", whole_strikes: bool = False
) -> bytes:
    """The table of CBOE's site; `clock` is its date line, `before` stands above the name, `commas` end both."""
    head = f"{before}{name},Last: {market.spot:g},Change:  1.5{commas}\n{clock}{commas}\n{COLUMNS}\n"
    pairs = groupby(market.lines, key=lambda line: (line.root, line.expiry, line.strike))
    return (head + "".join(_row(*pair, whole_strikes=whole_strikes) for _, pair in pairs)).encode()


def _row(call: Line, put: Line, *, whole_strikes: bool) -> str:
    strike = f"{call.strike:.0f}" if whole_strikes else f"{call.strike:.2f}"
    return f"{call.expiry:%a %b %d %Y},{_half(call)},{strike},{_half(put)}\n"


def _half(line: Line) -> str:
    iv = 0 if line.iv is None else line.iv
    figures = (0, 0, line.bid, line.ask, line.volume, iv, line.delta, round(line.gamma, 4), line.open_interest)
    return f"{line.osi()},{','.join(f'{figure:g}' for figure in figures)}"


def cboe_feed(market: Market, *, fetched: str) -> bytes:
    """CBOE's JSON in its wrapper; `fetched` is its clock, UTC."""
    data = {
        "options": [_cboe_option(line) for line in market.lines],
        "symbol": f"^{market.ticker}", "security_type": "index", "exchange_id": 0, "current_price": market.spot,
        "price_change": -20.5, "price_change_percent": -1.12, "bid": 0.0, "ask": 0.0, "bid_size": 0, "ask_size": 0,
        "open": market.spot, "high": market.spot, "low": market.spot, "close": market.spot,
        "prev_day_close": market.spot + 20.5, "volume": 0, "iv30": 17.5, "iv30_change": 0.0,
        "iv30_change_percent": 0.0, "seqno": 5, "last_trade_time": f"{market.asof:%Y-%m-%dT%H:%M:%S}",
        "tick": "no_change",
    }  # fmt: skip
    return json.dumps({"timestamp": fetched, "data": data, "symbol": f"_{market.ticker}"}).encode()


def _cboe_option(line: Line) -> Json:
    return {
        "option": line.osi(), "bid": line.bid, "bid_size": 7.0, "ask": line.ask, "ask_size": 7.0,
        "iv": 0.0 if line.iv is None else line.iv, "open_interest": float(line.open_interest),
        "volume": float(line.volume), "delta": line.delta, "gamma": round(line.gamma, 4), "theta": -0.01, "rho": 0.1,
        "vega": round(line.vega, 4), "theo": line.ask, "change": 0.0, "open": 0.0, "high": 0.0, "low": 0.0,
        "tick": "no_change",
        "last_trade_price": 0.0, "last_trade_time": None, "percent_change": 0.0, "prev_day_close": 0.0500000007450581,
    }  # fmt: skip


def cboe_bare(market: Market) -> bytes:
    """What older scripts kept of CBOE's JSON: no wrapper, no clock, no quotes; 0.02 and 26.001 for no volatility."""
    options = [
        {
            "change": 0.0, "delta": line.delta, "gamma": round(line.gamma, 4), "high": 0.0,
            "iv": line.iv if line.iv is not None else 0.02 if line.call else 26.001, "low": 0.0, "open": 0.0,
            "open_interest": float(line.open_interest), "option": line.osi(), "prev_day_close": 0.0, "rho": 0.0,
            "theo": 0.0, "theta": 0.0, "vega": round(line.vega, 4), "volume": float(line.volume),
        }
        for line in market.lines
    ]  # fmt: skip
    head = dict.fromkeys(("close", "current_price", "high", "low", "open"), market.spot)
    return json.dumps(head | {"options": options, "symbol": market.ticker, "volume": 89_000_000}).encode()


def schwab_chain(market: Market, *, delayed: bool = False, sides: str = "CP", quoted: datetime | None = None) -> bytes:
    """Schwab's `/chains` answer; where there is no volatility `-999.0` and `"NaN"` take turns, by strike."""
    at_ms = epoch_ms(quoted or market.asof)
    today = market.asof.astimezone(NEW_YORK).date()
    lines = [line for line in market.lines if line.side in sides]
    wire = f"${market.ticker}" if _is_index(market.ticker) else market.ticker
    head: Json = {
        "symbol": wire, "status": "SUCCESS", "strategy": "SINGLE", "interval": 0.0, "isDelayed": delayed,
        "isIndex": _is_index(market.ticker), "interestRate": 4.25, "underlyingPrice": market.spot, "volatility": 29.0,
        "daysToExpiration": 0.0, "dividendYield": 0.0, "numberOfContracts": len(lines),
        "assetMainType": "INDEX" if _is_index(market.ticker) else "EQUITY", "assetSubType": "",
        "isChainTruncated": False,
    }  # fmt: skip
    items = {line: _schwab_contract(line, wire, at_ms, today) for line in lines}
    return json.dumps(head | _maps(items, today)).encode()


def _schwab_contract(line: Line, wire: str, at_ms: int, today: date) -> Json:
    settled = settles(line.root, line.expiry)
    none = -999.0 if round(line.strike * 2) % 3 else "NaN"
    greek = none if line.iv is None else round(line.gamma, 3)
    days = (line.expiry - today).days
    return {
        "putCall": "CALL" if line.call else "PUT", "symbol": line.osi(width=6),
        "description": f"{line.root} {line.expiry:%m/%d/%Y} {line.strike:.2f} {line.side}", "exchangeName": "OPR",
        "bid": line.bid, "ask": line.ask, "last": line.ask, "mark": round((line.bid + line.ask) / 2, 2), "bidSize": 7,
        "askSize": 7, "bidAskSize": "7X7", "lastSize": 1, "highPrice": line.ask, "lowPrice": line.bid,
        "openPrice": 0.0, "closePrice": line.bid, "totalVolume": line.volume, "tradeTimeInLong": at_ms - 60_000,
        "quoteTimeInLong": at_ms - line.volume % 900, "netChange": 0.5,
        "volatility": none if line.iv is None else round(100 * line.iv, 3),
        "delta": none if line.iv is None else round(line.delta, 3), "gamma": greek, "theta": -0.5,
        "vega": none if line.iv is None else round(line.vega, 3),
        "rho": 0.1, "openInterest": line.open_interest, "timeValue": 1.0, "theoreticalOptionValue": line.ask,
        "theoreticalVolatility": 29.0,
        "optionDeliverablesList": [{"symbol": wire, "assetType": "STOCK", "deliverableUnits": 100.0}],
        "strikePrice": line.strike, "expirationDate": f"{line.expiry}T20:00:00.000+00:00", "daysToExpiration": days,
        "expirationType": "W", "lastTradingDay": epoch_ms(datetime.combine(line.expiry, time(20), NEW_YORK)),
        "multiplier": 10.0 if line.mini else 100.0,
        "settlementType": "A" if settled.astimezone(NEW_YORK).time() == time(9, 30) else "P",
        "deliverableNote": f"100 {wire}", "percentChange": 0.1, "markChange": 0.1, "markPercentChange": 0.1,
        "intrinsicValue": 0.0, "extrinsicValue": 1.0, "optionRoot": line.root, "exerciseType": "E",
        "high52Week": line.ask, "low52Week": line.bid, "nonStandard": line.adjusted, "pennyPilot": False,
        "inTheMoney": abs(line.delta) > 0.5, "mini": line.mini,
    }  # fmt: skip


def ameritrade_chain(market: Market) -> bytes:
    """TD Ameritrade's chain: its own symbols, the underlying within, dates as numbers, no roots, -999."""
    today, at_ms = market.asof.astimezone(NEW_YORK).date(), epoch_ms(market.asof)
    items = {line: _ameritrade_contract(line, at_ms, today) for line in market.lines}
    underlying = {"symbol": market.ticker, "last": market.spot, "mark": market.spot, "delayed": True,
                  "quoteTime": at_ms, "tradeTime": at_ms}  # fmt: skip
    head = {
        "daysToExpiration": -1, "interestRate": 0.1, "interval": 0, "isDelayed": True, "isIndex": False,
        "numberOfContracts": len(items), "status": "SUCCESS", "strategy": "ANALYTICAL", "symbol": market.ticker,
        "underlying": underlying, "underlyingPrice": market.spot, "volatility": 29,
    }  # fmt: skip
    return json.dumps(_maps(items, today) | head, indent=3).encode()


def _ameritrade_contract(line: Line, at_ms: int, today: date) -> Json:
    return {
        "ask": line.ask, "askSize": 150, "bid": line.bid, "bidAskSize": "150X150", "bidSize": 150, "closePrice": 8.5,
        "daysToExpiration": (line.expiry - today).days, "deliverableNote": "", "delta": round(line.delta, 3),
        "description": f"{line.root} {line.expiry:%b %d %Y} {line.strike:g}", "exchangeName": "OPR",
        "expirationDate": epoch_ms(settles(line.root, line.expiry)), "expirationType": "S",
        "gamma": round(line.gamma, 3), "highPrice": 0, "inTheMoney": abs(line.delta) > 0.5, "intrinsicValue": 0,
        "isIndexOption": None, "last": line.ask, "lastSize": 0, "lastTradingDay": at_ms, "lowPrice": 0,
        "mark": line.bid, "markChange": 0, "markPercentChange": 0, "mini": line.mini, "multiplier": 100,
        "netChange": 0, "nonStandard": line.adjusted, "openInterest": line.open_interest, "openPrice": 0,
        "optionDeliverablesList": None, "pennyPilot": True, "percentChange": 0,
        "putCall": "CALL" if line.call else "PUT", "quoteTimeInLong": at_ms - line.volume % 900, "rho": 0.1,
        "settlementType": " ", "strikePrice": line.strike,
        "symbol": f"{line.root}_{line.expiry:%m%d%y}{line.side}{line.strike:g}", "theoreticalOptionValue": line.ask,
        "theoreticalVolatility": 29, "theta": -0.1, "timeValue": 0.5, "totalVolume": line.volume, "tradeDate": None,
        "tradeTimeInLong": at_ms, "vega": round(line.vega, 3),
        "volatility": -999 if line.iv is None else round(100 * line.iv, 3),
    }  # fmt: skip


def _maps(items: dict[Line, Json], today: date) -> Json:
    maps: dict[str, dict[str, dict[str, list[Json]]]] = {"callExpDateMap": {}, "putExpDateMap": {}}
    for line, item in items.items():
        side = maps["callExpDateMap" if line.call else "putExpDateMap"]
        day = side.setdefault(f"{line.expiry}:{(line.expiry - today).days}", {})
        day.setdefault(f"{line.strike:.10g}" if line.strike % 1 else f"{line.strike:.1f}", []).append(item)
    return maps


def epoch_ms(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return (instant.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def _is_index(ticker: str) -> bool:
    return ticker in {"SPX", "NDX", "RUT", "XSP"}


def roots_of(lines: Iterable[Line]) -> set[str]:
    """Their roots."""
    return {line.root for line in lines}
