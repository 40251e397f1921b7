"""The records that Schwab's data frames are decoded into, straight from bytes (specs/schwab-wire.md §2.5-2.13).

UNSET means "not in this message", None "cleared". Numbers may come as int or float for the same field.
Records live for one frame only, so they stay outside the garbage collector.
"""

from typing import Annotated, ClassVar, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from streaming.schwab.wire import fields
from streaming.schwab.wire.values import LARGEST_COUNT, LARGEST_PRICE

DAY_MS: Final = 86_400_000

PlainPrice = Annotated[float, Meta(gt=-LARGEST_PRICE, lt=LARGEST_PRICE)]
"""Checked by the decoder, which does it in no time; beyond lies what nothing costs."""
Price = PlainPrice | None | UnsetType
Count = int | float | None | UnsetType
Text = str | None | UnsetType
Flag = bool | None | UnsetType
BookSize = Annotated[int, Meta(ge=0, lt=LARGEST_COUNT)]
DayMs = Annotated[int, Meta(ge=0, lt=DAY_MS)]
"""Checked by the decoder, so that a book, with up to a hundred of them, needs no second look."""


class ImageRow(Struct, gc=False):
    """What rows of level one have under names: the last three come with a full image."""

    key: str
    delayed: Flag = UNSET
    assetMainType: Text = UNSET  # noqa: N815 - Schwab's own name
    cusip: Text = UNSET


class EquityRow(ImageRow, gc=False, rename=fields.wire_names(fields.EQUITIES)):
    """One equity, fund or index of LEVELONE_EQUITIES."""

    bid: Price = UNSET
    ask: Price = UNSET
    last: Price = UNSET
    bid_size: Count = UNSET
    ask_size: Count = UNSET
    volume: Count = UNSET
    last_size: Count = UNSET
    quote_ms: Count = UNSET
    trade_ms: Count = UNSET
    status: Text = UNSET
    listing: Text = UNSET
    active_symbol: ClassVar[Text] = UNSET
    open_interest: ClassVar[Count] = UNSET
    volatility: ClassVar[Price] = UNSET
    underlying_price: ClassVar[Price] = UNSET
    """No share has one, nor an option; level one of all kinds is read by the same names."""


class OptionRow(ImageRow, gc=False, rename=fields.wire_names(fields.OPTIONS)):
    """One contract of LEVELONE_OPTIONS; volatility in percent."""

    bid: Price = UNSET
    ask: Price = UNSET
    last: Price = UNSET
    bid_size: Count = UNSET
    ask_size: Count = UNSET
    volume: Count = UNSET
    last_size: Count = UNSET
    quote_ms: Count = UNSET
    trade_ms: Count = UNSET
    status: Text = UNSET
    open_interest: Count = UNSET
    volatility: Price = UNSET
    underlying_price: Price = UNSET
    listing: ClassVar[Text] = UNSET
    active_symbol: ClassVar[Text] = UNSET


class FutureRow(ImageRow, gc=False, rename=fields.wire_names(fields.FUTURES)):
    """One future of LEVELONE_FUTURES."""

    bid: Price = UNSET
    ask: Price = UNSET
    last: Price = UNSET
    bid_size: Count = UNSET
    ask_size: Count = UNSET
    volume: Count = UNSET
    last_size: Count = UNSET
    quote_ms: Count = UNSET
    trade_ms: Count = UNSET
    status: Text = UNSET
    open_interest: Count = UNSET
    active_symbol: Text = UNSET
    listing: ClassVar[Text] = UNSET
    volatility: ClassVar[Price] = UNSET
    underlying_price: ClassVar[Price] = UNSET


class BookEntry(Struct, gc=False, rename=lambda name: str(fields.BOOK_ENTRY.index(name))):
    """One venue inside a level; `day_ms` counts from midnight in New York, DAY_MS where it is not told."""

    venue: str
    size: BookSize
    day_ms: DayMs = DAY_MS


class BookLevelRow(Struct, gc=False, rename=lambda name: str(fields.BOOK_LEVEL.index(name))):
    """One price of one side."""

    price: PlainPrice
    size: BookSize
    entries: list[BookEntry] = []


class BookRow(Struct, gc=False, rename=fields.wire_names(fields.BOOK)):
    """The whole book of one symbol."""

    key: str
    book_ms: Count = UNSET
    bids: list[BookLevelRow] | None = None
    asks: list[BookLevelRow] | None = None


class EquityBarRow(Struct, gc=False, rename=fields.wire_names(fields.CHART_EQUITY)):
    """One finished minute of CHART_EQUITY."""

    key: str
    seq: Count = UNSET
    bar_ms: Count = UNSET
    open: Price = UNSET
    high: Price = UNSET
    low: Price = UNSET
    close: Price = UNSET
    volume: Count = UNSET


class FutureBarRow(Struct, gc=False, rename=fields.wire_names(fields.CHART_FUTURES)):
    """One finished minute of CHART_FUTURES."""

    key: str
    seq: Count = UNSET
    bar_ms: Count = UNSET
    open: Price = UNSET
    high: Price = UNSET
    low: Price = UNSET
    close: Price = UNSET
    volume: Count = UNSET


def service_of(kind: type[Struct]) -> str:
    """The service of a kind of block, as the wire spells it."""
    return str(kind.__struct_config__.tag)


class Block(Struct, gc=False, tag_field="service", kw_only=True):
    """One element of `data`: rows of one service, with the server's own time."""

    timestamp: int | float = 0
    command: str = ""

    @property
    def service(self) -> str:
        """The service of this kind of block."""
        return service_of(type(self))


class EquityBlock(Block, gc=False, tag="LEVELONE_EQUITIES"):
    content: list[EquityRow]


class OptionBlock(Block, gc=False, tag="LEVELONE_OPTIONS"):
    content: list[OptionRow]


class FutureBlock(Block, gc=False, tag="LEVELONE_FUTURES"):
    content: list[FutureRow]


class NyseBookBlock(Block, gc=False, tag="NYSE_BOOK"):
    content: list[BookRow]


class NasdaqBookBlock(Block, gc=False, tag="NASDAQ_BOOK"):
    content: list[BookRow]


class OptionsBookBlock(Block, gc=False, tag="OPTIONS_BOOK"):
    content: list[BookRow]


class EquityChartBlock(Block, gc=False, tag="CHART_EQUITY"):
    content: list[EquityBarRow]


class FutureChartBlock(Block, gc=False, tag="CHART_FUTURES"):
    content: list[FutureBarRow]


LevelOneRow = EquityRow | OptionRow | FutureRow
LevelOneBlock = EquityBlock | OptionBlock | FutureBlock
DataBlock = (
    EquityBlock
    | OptionBlock
    | FutureBlock
    | NyseBookBlock
    | NasdaqBookBlock
    | OptionsBookBlock
    | EquityChartBlock
    | FutureChartBlock
)
