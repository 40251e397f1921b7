"""What Schwab's REST interface answers besides chains, in production's shapes: quotes, dates, hours, preferences."""

import json
from datetime import date, timedelta
from typing import Any

Json = dict[str, Any]
AT_MS = 1787232600000


def preferences(*, level2: bool = True) -> bytes:
    """Who the streamer's customer is, and what it is allowed."""
    account = {
        "accountNumber": "11221122", "primaryAccount": False, "type": "BROKERAGE", "nickName": "Trading",
        "displayAcctId": "...122", "autoPositionEffect": False, "accountColor": "Green", "lotSelectionMethod": "FIFO",
    }  # fmt: skip
    streamer = {
        "streamerSocketUrl": "wss://streamer.example/ws", "schwabClientCustomerId": "c0ffee" * 8,
        "schwabClientCorrelId": "11111111-2222-3333-4444-555555555555", "schwabClientChannel": "N9",
        "schwabClientFunctionId": "APIAPP",
    }  # fmt: skip
    offers = [{"level2Permissions": level2, "mktDataPermission": "NP"}]
    return json.dumps({"accounts": [account], "streamerInfo": [streamer], "offers": offers}).encode()


def expirations(root: str = "SPY", first: date = date(2026, 8, 20), days: int = 30) -> bytes:
    """A date for each weekday, third Fridays as standard ones; not in order, which nobody promises."""
    dates = [first + timedelta(days=number) for number in range(days)]
    rows = [
        {
            "expirationDate": day.isoformat(), "daysToExpiration": (day - first).days,
            "expirationType": "S" if day.weekday() == 4 and 15 <= day.day <= 21 else "W", "settlementType": "P",
            "optionRoots": root, "standard": True,
        }
        for day in dates
        if day.weekday() < 5
    ]  # fmt: skip
    return json.dumps({"expirationList": rows[3:] + rows[:3], "status": None}).encode()


def share_quote(symbol: str = "NVDA") -> bytes:
    """A share with all its blocks."""
    extended = {"askPrice": 122.85, "askSize": 1400, "bidPrice": 122.8, "bidSize": 260, "lastPrice": 122.9,
                "lastSize": 20, "mark": 122.85, "quoteTime": AT_MS, "totalVolume": 0, "tradeTime": AT_MS}  # fmt: skip
    fundamental = _fundamental() | {
        "declarationDate": "2026-05-20T05:00:00Z", "divExDate": "2026-06-05T05:00:00Z",
        "divPayDate": "2026-06-27T05:00:00Z", "lastEarningsDate": "2026-05-20T05:00:00Z",
        "nextDivExDate": "2026-09-05T04:00:00Z", "nextDivPayDate": "2026-09-27T04:00:00Z",
    }  # fmt: skip
    quote = _range() | {
        "askMICId": "MEMX", "askPrice": 123.25, "askSize": 2, "askTime": AT_MS, "bidMICId": "XNAS", "bidPrice": 123.2,
        "bidSize": 76, "bidTime": AT_MS - 900, "lastMICId": "XADF", "lastPrice": 123.225, "lastSize": 498,
        "mark": 123.2, "markChange": -0.5, "markPercentChange": -0.4, "postMarketChange": -1.4,
        "postMarketPercentChange": -1.1, "quoteTime": AT_MS,
    }  # fmt: skip
    reference = {"cusip": "000000000", "description": "A share", "exchange": "Q", "exchangeName": "NASDAQ",
                 "isHardToBorrow": False, "isShortable": True, "htbRate": 0.0}  # fmt: skip
    regular = {"regularMarketLastPrice": 124.65, "regularMarketLastSize": 100, "regularMarketNetChange": 0.95,
               "regularMarketPercentChange": 0.77, "regularMarketTradeTime": AT_MS}  # fmt: skip
    head = _head("EQUITY", symbol) | {"assetSubType": "COE", "quoteType": "NBBO"}
    blocks = {"extended": extended, "fundamental": fundamental, "quote": quote, "reference": reference}
    return json.dumps({symbol: head | blocks | {"regular": regular}}).encode()


def index_quote(symbol: str = "$SPX") -> bytes:
    """An index: no bid, no ask, no sizes."""
    reference = {"description": "An index", "exchange": "0", "exchangeName": "Index"}
    blocks = {"fundamental": _fundamental(), "quote": _range() | {"lastPrice": 6071.25}, "reference": reference}
    return json.dumps({symbol: _head("INDEX", symbol) | blocks}).encode()


def option_quote(symbol: str = "META  260828P00525000") -> bytes:
    """One contract."""
    quote = _range() | dict.fromkeys(
        (
            "askPrice", "askSize", "bidPrice", "bidSize", "delta", "gamma", "indAskPrice", "indBidPrice",
            "indQuoteTime", "impliedYield", "lastPrice", "lastSize", "mark", "markChange", "markPercentChange",
            "moneyIntrinsicValue", "openInterest", "quoteTime", "rho", "theoreticalOptionValue", "theta", "timeValue",
            "underlyingPrice", "vega", "volatility",
        ),
        0.5,
    )  # fmt: skip
    reference = {
        "contractType": "P", "daysToExpiration": 6, "deliverables": "100 META", "description": "a put",
        "exchange": "O", "exchangeName": "OPR", "exerciseType": "A", "expirationDay": 28, "expirationMonth": 8,
        "expirationType": "W", "expirationYear": 2026, "isPennyPilot": True, "lastTradingDay": AT_MS,
        "multiplier": 100.0, "settlementType": "P", "strikePrice": 525.0, "underlying": "META",
        "underlyingAssetType": "EQUITY",
    }  # fmt: skip
    return json.dumps({symbol: _head("OPTION", symbol) | {"quote": quote, "reference": reference}}).encode()


def future_quote(symbol: str = "/ESU26") -> bytes:
    """A future under the name of its contract."""
    names = (
        "askPrice askSize askTime bidPrice bidSize bidTime closePrice futurePercentChange highPrice lastPrice "
        "lastSize lowPrice mark netChange openInterest openPrice quoteTime securityStatus settleTime tick tickAmount "
        "totalVolume tradeTime"
    )
    quote = dict.fromkeys(names.split(), 0)
    reference = {
        "description": "A future", "exchange": "@", "exchangeName": "XCME", "futureActiveSymbol": symbol,
        "futureExpirationDate": AT_MS, "futureIsActive": True, "futureIsTradable": True, "futureMultiplier": 50,
        "futurePriceFormat": "D,D", "futureSettlementPrice": 4696, "futureTradingHours": "GLBX(de=1640)",
        "product": "/ES",
    }  # fmt: skip
    return json.dumps({symbol: _head("FUTURE", symbol) | {"quote": quote, "reference": reference}}).encode()


def _head(kind: str, symbol: str) -> Json:
    return {"assetMainType": kind, "realtime": True, "ssid": 1, "symbol": symbol}


def _range() -> Json:
    """The part of a quote that every kind has."""
    return {"52WeekHigh": 153.1, "52WeekLow": 60.7, "closePrice": 123.7, "highPrice": 125.0, "lowPrice": 118.1,
            "netChange": -0.5, "netPercentChange": -0.4, "openPrice": 123.1, "securityStatus": "Normal",
            "totalVolume": 392_900_000, "tradeTime": AT_MS - 200}  # fmt: skip


def _fundamental() -> Json:
    return {"avg10DaysVolume": 0.0, "avg1YearVolume": 0.0, "divAmount": 0.0, "divFreq": 0, "divPayAmount": 0.0,
            "divYield": 0.0, "eps": 0.0, "fundLeverageFactor": 0.0, "peRatio": 0.0}  # fmt: skip


def open_hours(day: date, *, offset: str = "-04:00") -> Json:
    """The hours of shares and options on a day with a whole session."""

    def span(start: str, end: str) -> list[Json]:
        return [{"start": f"{day}T{start}:00{offset}", "end": f"{day}T{end}:00{offset}"}]

    def product(market: str, name: str, words: str, hours: Json) -> Json:
        return {"date": day.isoformat(), "marketType": market, "product": name, "productName": words, "isOpen": True,
                "sessionHours": hours}  # fmt: skip

    shares = {"preMarket": span("07:00", "09:30"), "regularMarket": span("09:30", "16:00"),
              "postMarket": span("16:00", "20:00")}  # fmt: skip
    return {
        "option": {
            "EQO": product("OPTION", "EQO", "equity option", {"regularMarket": span("09:30", "16:00")}),
            "IND": product("OPTION", "IND", "index option", {"regularMarket": span("09:30", "16:15")}),
        },
        "equity": {"EQ": product("EQUITY", "EQ", "equity", shares)},
    }


def closed_hours(day: date) -> Json:
    """The hours of all five markets on a day without any."""
    return {
        market: {
            market: {"date": day.isoformat(), "marketType": market.upper(), "product": market, "isOpen": False}
        }
        for market in ("forex", "future", "option", "equity", "bond")
    }  # fmt: skip
