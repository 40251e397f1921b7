"""Which service serves which symbol (specs/schwab-wire.md §2.12, §2.16). Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.service_table import LEVEL_ONE, SERVICES, Shape
from streaming.symbols import is_index

Wanted = Mapping[Service, tuple[str, ...]]
"""The keys each service should have, in order, each once."""

_COVERING: Final = tuple((one.service, one.covers) for one in SERVICES if one.covers is not None)
_REMAINING: Final = next(one.service for one in SERVICES if one.is_level_one and one.covers is None)
_BESIDE: Final = {
    (level_one, shape): tuple(one for one in SERVICES if one.beside is level_one and one.shape is shape)
    for level_one in LEVEL_ONE
    for shape in (Shape.BOOK, Shape.MINUTES)
}
KNOWN_LISTINGS: Final[Mapping[str, str]] = {
    "SPY": "P", "IWM": "P", "DIA": "P", "GLD": "P", "SLV": "P", "XLF": "P", "XLE": "P", "EEM": "P",
    "QQQ": "Q", "TQQQ": "Q", "SQQQ": "Q", "TLT": "Q", "AAPL": "Q", "MSFT": "Q", "NVDA": "Q", "AMZN": "Q",
    "META": "Q", "GOOGL": "Q", "GOOG": "Q", "TSLA": "Q", "AMD": "Q", "AVGO": "Q", "NFLX": "Q",
}  # fmt: skip
"""Listing venues that are worth knowing before level one has told them."""


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """What should be streamed; remembered across reconnects."""

    symbols: tuple[str, ...] = ()
    """Published as ticks (and books): equities, indexes, futures, options by Schwab's names."""
    option_quotes: tuple[str, ...] = ()
    """Options that only the engine needs: an OptionQuote each, no TickEvent, no book."""
    quotes: bool = True
    """Whether an engine looks at the options among `symbols` as well: an OptionQuote of each, too."""
    books: bool = True
    charts: bool = False
    """Finished minutes of shares, indexes and futures too."""
    services: frozenset[Service] | None = None
    """When given, `symbols` are asked for from these services only."""

    def quoting(self, options: Iterable[str]) -> "Subscriptions":
        """With exactly these options for the engine."""
        return replace(self, option_quotes=tuple(dict.fromkeys(options)))


def level_one_service(symbol: str) -> Service:
    """The service that sends a symbol's level one."""
    for service, covers in _COVERING:
        if covers(symbol):
            return service
    return _REMAINING


def book_service(symbol: str, listing: str | None) -> Service | None:
    """The service that sends a symbol's book, or None when there is none or the listing is not known yet.

    Futures have no book at Schwab at all; their Level2Event is made from level one.
    """
    return None if is_index(symbol) else _beside(symbol, Shape.BOOK, listing)


def chart_service(symbol: str) -> Service | None:
    """The service that sends a symbol's minutes, or None when there is none."""
    return _beside(symbol, Shape.MINUTES, None)


def _beside(symbol: str, shape: Shape, listing: str | None) -> Service | None:
    known = _BESIDE[level_one_service(symbol), shape]
    return next((one.service for one in known if one.takes(listing)), None)


def plan(subscriptions: Subscriptions, listings: Mapping[str, str], *, level2: bool) -> Wanted:
    """The keys each service should have, the engine's options before those that are only published.

    `listings` is what field 13 told so far.
    """
    asked = subscriptions.services
    books, charts = subscriptions.books and level2, subscriptions.charts or asked is not None
    wanted: dict[Service, dict[str, None]] = {}
    for symbol in subscriptions.option_quotes:
        wanted.setdefault(level_one_service(symbol), {})[symbol] = None
    for symbol in subscriptions.symbols:
        for service in _services_of(symbol, listings.get(symbol) or KNOWN_LISTINGS.get(symbol), books, charts):
            if asked is None or service in asked:
                wanted.setdefault(service, {})[symbol] = None
    order = list(Service)
    return {service: tuple(wanted[service]) for service in sorted(wanted, key=order.index)}


@lru_cache(maxsize=1 << 15)
def _services_of(symbol: str, listing: str | None, books: bool, charts: bool) -> tuple[Service, ...]:
    """Remembered, because thousands of symbols are planned anew with every listing that becomes known."""
    found = (
        level_one_service(symbol),
        book_service(symbol, listing) if books else None,
        chart_service(symbol) if charts else None,
    )
    return tuple(service for service in found if service is not None)
