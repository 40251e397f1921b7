"""The body of `/markets`: open days with hours, closed ones without (specs/schwab-wire.md §3.5). Pure."""

from datetime import date, datetime, time
from typing import Any, Final

from streaming.calendar import NEW_YORK, TradingSession, session_on

MARKETS: Final = ("equity", "option", "bond", "future", "forex")
_PRODUCTS: Final = {
    "equity": (("EQ", "equity"),),
    "option": (("EQO", "equity option"), ("IND", "index option")),
    "bond": (("BON", "bond"),),
    "future": (("CME", "CME futures"),),
    "forex": (("forex", "forex"),),
}
_INDEX_LATER: Final = 15


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
