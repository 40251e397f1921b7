"""The services of the streamer, one record each: its numbers, its rows, whom it serves and when. Pure.

Requests, decoding, merging, routing and the watch over silence read this list (specs/schwab-wire.md §2.6-2.18).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import time
from enum import Enum, auto
from typing import Final

from streaming.schwab.wire import fields, rows
from streaming.schwab.wire.fields import Service
from streaming.symbols import is_future, is_option


class Shape(Enum):
    """What the rows of a service become."""

    SHARES = auto()
    """Level one whose prices are greater than zero."""
    OPTIONS = auto()
    """Level one, and a quote for the engine."""
    FUTURES = auto()
    """Level one that names the contract behind it, and a book of one level."""
    BOOK = auto()
    MINUTES = auto()


@dataclass(frozen=True, slots=True)
class WireService:
    """All that is known of one service."""

    block: type[rows.DataBlock]
    """What an element of `data` is decoded into; its tag is the name of the service."""
    table: tuple[str, ...]
    """What its numbers mean."""
    shape: Shape
    covers: Callable[[str], bool] | None = None
    """Level one: whether it sends a symbol; None for whatever no other covers."""
    beside: Service | None = None
    """Books and minutes: the level one of their symbols."""
    listings: Collection[str] | None = None
    """Books: only of symbols with one of these listings."""
    not_listings: Collection[str] | None = None
    """Books: only of symbols with a known listing that is none of these."""
    reopens: time | None = None
    """Round the clock: when a trading day begins, the evening before, New York; None for regular hours."""

    @property
    def service(self) -> Service:
        """Its name."""
        return Service(rows.service_of(self.block))

    @property
    def is_level_one(self) -> bool:
        """Whether it sends quotes, which make ticks."""
        return self.shape not in {Shape.BOOK, Shape.MINUTES}

    @property
    def asked_for(self) -> str:
        """The numbers in a subscription: of level one what we use, else all."""
        return fields.request_fields(self.table) if self.is_level_one else fields.all_fields(self.table)

    def takes(self, listing: str | None) -> bool:
        """Whether a listing venue is one of its own."""
        if self.listings is not None:
            return listing in self.listings
        return self.not_listings is None or bool(listing and listing not in self.not_listings)


_NASDAQ: Final = frozenset("Q")
_WITHOUT_BOOK: Final = frozenset("03:")
_SHARES: Final = Service.LEVELONE_EQUITIES
_EVENING: Final = time(18, 0)
SERVICES: Final = (
    WireService(rows.EquityBlock, fields.EQUITIES, Shape.SHARES),
    WireService(rows.OptionBlock, fields.OPTIONS, Shape.OPTIONS, is_option),
    WireService(rows.FutureBlock, fields.FUTURES, Shape.FUTURES, is_future, reopens=_EVENING),
    WireService(rows.NyseBookBlock, fields.BOOK, Shape.BOOK, beside=_SHARES, not_listings=_WITHOUT_BOOK | _NASDAQ),
    WireService(rows.NasdaqBookBlock, fields.BOOK, Shape.BOOK, beside=_SHARES, listings=_NASDAQ),
    WireService(rows.OptionsBookBlock, fields.BOOK, Shape.BOOK, beside=Service.LEVELONE_OPTIONS),
    WireService(rows.EquityChartBlock, fields.CHART_EQUITY, Shape.MINUTES, beside=_SHARES),
    WireService(rows.FutureChartBlock, fields.CHART_FUTURES, Shape.MINUTES, beside=Service.LEVELONE_FUTURES),
)
SERVICE: Final[Mapping[Service, WireService]] = {one.service: one for one in SERVICES}
LEVEL_ONE: Final = frozenset(one.service for one in SERVICES if one.is_level_one)
FIELDS: Final[Mapping[Service, str]] = {one.service: one.asked_for for one in SERVICES}
"""What each subscription asks for."""
