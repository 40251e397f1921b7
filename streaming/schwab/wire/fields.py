"""Schwab's numbered fields: which number means what in which service, and which numbers we ask for.

The index in a tuple is the number on the wire (specs/schwab-wire.md §2.6-2.13). Nowhere else do numbers appear.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Service(StrEnum):
    """The eight services of market data that are used, and the administration (specs/schwab-wire.md §2.14, §2.15)."""

    ADMIN = "ADMIN"
    LEVELONE_EQUITIES = "LEVELONE_EQUITIES"
    LEVELONE_OPTIONS = "LEVELONE_OPTIONS"
    LEVELONE_FUTURES = "LEVELONE_FUTURES"
    NYSE_BOOK = "NYSE_BOOK"
    NASDAQ_BOOK = "NASDAQ_BOOK"
    OPTIONS_BOOK = "OPTIONS_BOOK"
    CHART_EQUITY = "CHART_EQUITY"
    CHART_FUTURES = "CHART_FUTURES"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


EQUITIES: Final = _names(
    """symbol bid ask last bid_size ask_size ask_id bid_id volume last_size high low close listing marginable
    description last_id open net_change high_52_week low_52_week pe_ratio dividend_amount dividend_yield nav
    exchange_name dividend_date regular_quote regular_trade regular_last regular_last_size regular_net_change
    status mark quote_ms trade_ms regular_trade_ms bid_ms ask_ms ask_mic bid_mic last_mic net_percent_change
    regular_percent_change mark_change mark_percent_change htb_quantity htb_rate hard_to_borrow shortable
    post_market_change post_market_percent_change"""
)

OPTIONS: Final = _names(
    """symbol description bid ask last high low close volume open_interest volatility moneyness expiration_year
    multiplier digits open bid_size ask_size last_size net_change strike contract_type underlying expiration_month
    deliverables time_value expiration_day days_to_expiration delta gamma theta vega rho status theoretical_value
    underlying_price expiration_type mark quote_ms trade_ms exchange_id exchange_name last_trading_day_ms
    settlement_type net_percent_change mark_change mark_percent_change implied_yield penny_pilot root high_52_week
    low_52_week indicative_ask indicative_bid indicative_quote_ms exercise_type"""
)

FUTURES: Final = _names(
    """symbol bid ask last bid_size ask_size bid_id ask_id volume last_size quote_ms trade_ms high low close
    exchange_id description last_id open net_change change_fraction exchange_name status open_interest mark tick
    tick_amount product price_format trading_hours tradable multiplier active settlement_price active_symbol
    expiration_ms expiration_style ask_ms bid_ms quoted_in_session settlement_ms"""
)

BOOK: Final = ("symbol", "book_ms", "bids", "asks")
BOOK_LEVEL: Final = ("price", "size", "count", "entries")
BOOK_ENTRY: Final = ("venue", "size", "day_ms")

CHART_EQUITY: Final = ("symbol", "sequence", "open", "high", "low", "close", "volume", "bar_ms", "day")
"""As sent; the guide prints another order, which is wrong (§2.13)."""
CHART_FUTURES: Final = ("symbol", "bar_ms", "open", "high", "low", "close", "volume")

_USED: Final = _names(
    """symbol bid ask last bid_size ask_size volume last_size listing status quote_ms trade_ms open_interest
    volatility underlying_price active_symbol"""
)


def wire_names(table: tuple[str, ...]) -> Mapping[str, str]:
    """Field name -> its number as text, for renaming the fields of a wire record; `symbol` travels as `key`."""
    return {name: str(number) for number, name in enumerate(table) if name != "symbol"}


def request_fields(table: tuple[str, ...]) -> str:
    """The numbers of the fields we use as Schwab wants them: ascending, with 0, without spaces (§2.2)."""
    return ",".join(str(number) for number, name in enumerate(table) if name in _USED)


def all_fields(table: tuple[str, ...]) -> str:
    """Every number of a table, ascending."""
    return ",".join(str(number) for number in range(len(table)))
