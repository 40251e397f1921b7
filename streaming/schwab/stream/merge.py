"""Schwab sends what changed; everybody else wants what is. Deltas in, full frozen events out.

See specs/schwab-wire.md §2.5.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import FunctionType
from typing import Any, Final, ParamSpec, TypeVar, cast

from msgspec import UNSET

from streaming.clock import instant_of
from streaming.model import BookLevel, Candle, DepthKind, Level2Event, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab.origin import SCHWAB
from streaming.schwab.stream.books import EasternMidnight, book_levels
from streaming.schwab.stream.image import ANY, ZERO, Image, Instants
from streaming.schwab.wire import rows
from streaming.schwab.wire.fields import Service
from streaming.schwab.wire.rows import EquityBarRow, FutureBarRow
from streaming.schwab.wire.service_table import SERVICE, SERVICES, Shape
from streaming.schwab.wire.values import count, instant_ms, signed_price
from streaming.symbols import may_be_symbol

Events = list[StreamEvent]
_NOBODY: Final[frozenset[str]] = frozenset()
_PORTION: Final = 100
"""Rows whose events go out before the next are looked at: half a millisecond's work, and enough for one flush."""
MOST_NAMES: Final = 50_000
"""Symbols that a connection may bring of one kind; Schwab serves a tenth of them, a server gone mad any number."""
_BOOK_WEIGHT: Final = 8
"""Rows of level one that cost as much as a book."""
_BOOK_BLOCKS: Final = frozenset(one.block for one in SERVICES if one.shape is Shape.BOOK)
_UNKNOWN: Final = "Unknown"
_AHEAD_MS: Final = 300_000
"""How far our clock may be behind Schwab's. A time beyond has not come: believed, it would pass for the newest until
it comes, and nothing newer would count."""
_STAND_IN_AHEAD_MS: Final = 10 * 86_400_000
"""How far a stand-in's market may be ahead of our clock, when it says so of every frame."""


class Merger:
    """The full image of every symbol of one connection; `reset` when the connection is gone.

    `quotes_only` names option symbols whose rows become an OptionQuote but no TickEvent, `unquoted` those whose rows
    become a TickEvent only. `seq` increases over the merger's whole life, across resets.
    """

    def __init__(self, *, source: str = SCHWAB) -> None:
        self.quotes_only: Collection[str] = _NOBODY
        self.unquoted: Collection[str] = _NOBODY
        self.seq = 0
        self._source = source
        self._images: dict[type, dict[str, Image]] = {one.block: {} for one in SERVICES if one.is_level_one}
        self._admitted: set[str] = set()
        """Names whose books came and that can be symbols."""
        self.odd_rows = 0
        """Rows whose name cannot be a symbol, since the beginning."""
        self._instants = Instants()
        self._listings: dict[str, str] = {}
        self.listings_version = 0
        """Rises whenever a listing becomes known or changes."""
        self._contracts = FuturesContracts()
        self._rolled: dict[str, None] = {}
        self._midnight = EasternMidnight()
        readers: Mapping[Shape, Callable[[Any, Sequence[Any], int, Events], None]] = {
            **{shape: self._level_one_reader() for shape in (Shape.SHARES, Shape.OPTIONS, Shape.FUTURES)},
            Shape.BOOK: self._books,
            Shape.MINUTES: self._bars,
        }
        self._readers = {one.block: readers[one.shape] for one in SERVICES}

    @property
    def listings(self) -> Mapping[str, str]:
        """Listing venue of each equity as field 13 told it; kept across resets, until `keep` or `forget`."""
        return self._listings

    @property
    def active_contracts(self) -> Mapping[str, str]:
        """Futures root -> active contract as field 34 told it; kept as long."""
        return self._contracts.active

    def take_rolled(self) -> tuple[str, ...]:
        """Futures that rolled since the last call without a full image: ask for one."""
        rolled, self._rolled = tuple(self._rolled), {}
        return rolled

    def delayed_symbols(self) -> tuple[str, ...]:
        """Symbols whose quotes are not real time, as their full image said."""
        of_all = (images.items() for images in self._images.values())
        return tuple(sorted({symbol for images in of_all for symbol, image in images if image.delayed}))

    def reset(self, *, source: str = SCHWAB) -> None:
        """Forget every image: the next subscription sends full ones again, of `source`."""
        self._source = source
        for images in self._images.values():
            images.clear()
        self._admitted.clear()
        self._rolled.clear()

    def keep(self, symbols: Collection[str]) -> None:
        """Only these will be subscribed: what was learned of others would only grow over the connections."""
        wanted = frozenset(symbols)
        self._listings = {symbol: listing for symbol, listing in self._listings.items() if symbol in wanted}
        self._contracts.forget(self._contracts.active.keys() - wanted)

    def forget(self, service: Service, keys: Collection[str]) -> None:
        """These keys of a service are subscribed no more: whoever wants one again gets a full image of it."""
        images = self._images.get(SERVICE[service].block)
        if images is not None:
            self._contracts.forget(keys)
            for key in keys:
                images.pop(key, None)
                self._listings.pop(key, None)
        elif SERVICE[service].shape is Shape.BOOK:
            self._admitted.difference_update(keys)

    def apply(self, blocks: Sequence[rows.DataBlock], recv_ms: int) -> list[StreamEvent]:
        """Merge one frame's blocks that arrived at `recv_ms` and return the events, in the frame's order."""
        return [event for portion in self.portions(blocks, recv_ms) for event in portion]

    def portions(self, blocks: Sequence[rows.DataBlock], recv_ms: int) -> Iterator[Events]:
        """The same by about a hundred rows, or a dozen books, each merged when it is asked for.

        Schwab sends thousands at once.
        """
        events: list[StreamEvent] = []
        work = 0
        for block in blocks:
            reader = self._readers.get(type(block))
            if reader is None:
                continue
            content: Sequence[Any] = block.content
            weight = _BOOK_WEIGHT if type(block) in _BOOK_BLOCKS else 1
            at_once = _PORTION // weight
            for at in range(0, len(content), at_once):
                part = content[at : at + at_once]
                reader(block, part, recv_ms, events)
                work += len(part) * weight
                if work >= _PORTION - weight:
                    yield events
                    events = []
                    work = 0
        if events:
            yield events

    def _admits(self, key: str, known: Collection[str]) -> bool:
        """Whether a name that is met for the first time can be one more symbol; one that cannot costs its row."""
        if may_be_symbol(key) and len(known) < MOST_NAMES:
            return True
        self.odd_rows += 1
        return False

    def _level_one_reader(self) -> Callable[[rows.LevelOneBlock, Sequence[rows.LevelOneRow], int, Events], None]:
        return partial(_apart(Merger._level_one), self, _apart(Image.overlay))

    def _level_one(  # noqa: C901 - the stream's busiest loop: a call for each step costs more than the step
        self,
        overlay: Callable[[Image, rows.LevelOneRow, float], int],
        block: rows.LevelOneBlock,
        content: Sequence[rows.LevelOneRow],
        recv_ms: int,
        events: Events,
    ) -> None:
        kind = type(block)
        is_share, is_option, is_future = (kind is one for one in (rows.EquityBlock, rows.OptionBlock, rows.FutureBlock))
        images, known_at, append = self._images[kind], self._instants.known.get, events.append
        latest_ms, sent_ms, seq = recv_ms + _AHEAD_MS, instant_ms(block.timestamp) or recv_ms, self.seq
        above = ZERO if is_share else ANY
        quotes_only, unquoted = self.quotes_only, self.unquoted
        for row in content:
            key = row.key
            if is_future and row.active_symbol and self._rolls(key, row.active_symbol):
                self._roll(images, row)
            image = before = images.get(key)
            if image is None or row.assetMainType is not UNSET or row.cusip is not UNSET or row.delayed is not UNSET:
                if image is None and not self._admits(key, images):
                    continue
                image = images[key] = Image(row.delayed)  # the first row, or a full image (rule 1)
            event_ms = overlay(image, row, above) or sent_ms
            if event_ms > latest_ms:
                event_ms = image.event_ms = _believed(event_ms, block.timestamp, recv_ms)
            if is_future and row.status == _UNKNOWN and image.bid is None and image.ask is None and image.last is None:
                continue  # Schwab's way to say that there is no such future (§2.16)
            if not is_option or key not in quotes_only:
                seq += 1
                tick = TickEvent(
                    symbol=key,
                    timestamp=known_at(event_ms) or self._instants.at(event_ms),
                    last=image.last,
                    bid=image.bid,
                    ask=image.ask,
                    volume=image.volume,
                    bid_size=image.bid_size,
                    ask_size=image.ask_size,
                    last_size=image.last_size,
                    event_ms=event_ms,
                    recv_ms=recv_ms,
                    source=self._source,
                    delayed=image.delayed,
                    contract=self._contracts.behind(key) if is_future else None,
                    seq=seq,
                )
                append(tick)
                if is_future and _names_the_top(row):
                    seq += 1
                    append(_top_of_book(tick, seq))
            if is_option:
                image.overlay_option(row)
                if key not in unquoted:
                    append(image.quote(key, event_ms, recv_ms, fresh=image is not before))
            elif is_share and row.listing:
                self._listed(key, row.listing)
        self.seq = seq

    def _listed(self, symbol: str, listing: str) -> None:
        if self._listings.get(symbol) != listing:
            self._listings[symbol] = listing
            self.listings_version += 1

    def _rolls(self, symbol: str, active_symbol: str) -> bool:
        """Take in field 34 if it can be; whether another contract than before stands behind the symbol."""
        named = may_be_symbol(symbol) and active_symbol.startswith(symbol) and names_a_contract(active_symbol)
        known = self._contracts.active
        return named and (symbol in known or len(known) < MOST_NAMES) and self._contracts.learn(symbol, active_symbol)

    def _roll(self, images: dict[str, Image], row: rows.LevelOneRow) -> None:
        """Another contract stands behind the symbol: what was known is of the old one."""
        known = images.pop(row.key, None)
        if row.assetMainType is UNSET and row.cusip is UNSET:
            self._rolled[row.key] = None
            if known is not None:
                images[row.key] = Image(known.delayed)

    def _books(
        self,
        block: rows.NyseBookBlock | rows.NasdaqBookBlock | rows.OptionsBookBlock,
        content: Sequence[rows.BookRow],
        recv_ms: int,
        events: Events,
    ) -> None:
        admitted, latest_ms = self._admitted, recv_ms + _AHEAD_MS
        for row in content:
            if row.key not in admitted:
                if not self._admits(row.key, admitted):
                    continue
                admitted.add(row.key)
            event_ms = instant_ms(row.book_ms) or instant_ms(block.timestamp) or recv_ms
            if event_ms > latest_ms:
                event_ms = _believed(event_ms, block.timestamp, recv_ms)
            midnight_ms = self._midnight.before(event_ms)
            self.seq += 1
            events.append(
                Level2Event(
                    symbol=row.key,
                    timestamp=self._instants.at(event_ms),
                    bids=book_levels(row.bids, midnight_ms, event_ms, descending=True),
                    asks=book_levels(row.asks, midnight_ms, event_ms, descending=False),
                    depth_kind=DepthKind.VENUE_MONTAGE,
                    event_ms=event_ms,
                    recv_ms=recv_ms,
                    source=self._source,
                    seq=self.seq,
                )
            )

    def _bars(
        self,
        block: rows.EquityChartBlock | rows.FutureChartBlock,
        content: Sequence[EquityBarRow | FutureBarRow],
        recv_ms: int,
        events: Events,
    ) -> None:
        for row in content:
            if not self._admits(row.key, ()):
                continue
            contract = self._contracts.behind(row.key) if isinstance(row, rows.FutureBarRow) else None
            candle = candle_from(row, recv_ms=recv_ms, source=self._source, contract=contract, seq=self.seq + 1)
            if candle is not None and candle.event_ms == _believed(candle.event_ms, block.timestamp, recv_ms):
                self.seq += 1
                events.append(candle)


def _top_of_book(tick: TickEvent, seq: int) -> Level2Event:
    return Level2Event(
        symbol=tick.symbol,
        timestamp=tick.timestamp,
        bids=_one_level(tick.bid, tick.bid_size),
        asks=_one_level(tick.ask, tick.ask_size),
        depth_kind=DepthKind.TOP_OF_BOOK,
        event_ms=tick.event_ms,
        recv_ms=tick.recv_ms,
        source=tick.source,
        contract=tick.contract,
        seq=seq,
    )


_P = ParamSpec("_P")
_T = TypeVar("_T")


def _apart(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The same with bytecode of its own.

    The interpreter notes at each instruction which type it meets there. Where shares, options and futures take turns at
    the same instructions it keeps unlearning that, and a row costs a tenth more.
    """
    own = cast("FunctionType", function)
    return cast(
        "Callable[_P, _T]", FunctionType(own.__code__.replace(), own.__globals__, own.__name__, None, own.__closure__)
    )


def _believed(event_ms: int, server_ms: float, recv_ms: int) -> int:
    """A time that our clock or the server's own has come to; else when it arrived."""
    now_ms = max(recv_ms, min(instant_ms(server_ms), recv_ms + _STAND_IN_AHEAD_MS))
    return event_ms if event_ms <= now_ms + _AHEAD_MS else recv_ms


def _one_level(level_price: float | None, size: int | None) -> tuple[BookLevel, ...]:
    return () if level_price is None or size is None else (BookLevel(price=level_price, size=size),)


def _names_the_top(row: rows.LevelOneRow) -> bool:
    return not (row.bid is UNSET and row.ask is UNSET and row.bid_size is UNSET and row.ask_size is UNSET)


def candle_from(
    row: EquityBarRow | FutureBarRow, *, recv_ms: int, source: str, contract: str | None, seq: int
) -> Candle | None:
    """The candle of a bar; None without a start or with a price missing: half a bar is no bar."""
    start_ms = instant_ms(row.bar_ms)
    prices = [signed_price(value) for value in (row.open, row.high, row.low, row.close)]
    if not start_ms or None in prices:
        return None
    opened, high, low, closed = (price for price in prices if price is not None)
    return Candle(
        symbol=row.key,
        timestamp=instant_of(start_ms),
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=count(row.volume),
        event_ms=start_ms,
        recv_ms=recv_ms,
        source=source,
        contract=contract,
        source_seq=count(row.seq),
        seq=seq,
    )


_CONTRACT: Final = re.compile(r"/[A-Z0-9]+?[FGHJKMNQUVXZ][0-9]{2}")


def names_a_contract(symbol: str) -> bool:
    """Whether a futures symbol carries its own month and year, as `/ESZ26` does and `/ES` does not."""
    return _CONTRACT.fullmatch(symbol) is not None


class FuturesContracts:
    """Root -> active contract as Schwab names it; a calendar rule would be wrong in the week of a roll."""

    def __init__(self) -> None:
        self._active: dict[str, str] = {}

    @property
    def active(self) -> Mapping[str, str]:
        """Every root heard of and the contract behind it."""
        return self._active

    def learn(self, symbol: str, active_symbol: str) -> bool:
        """Take in field 34 of a row; True when a root now stands for another contract than before."""
        if names_a_contract(symbol):
            return False
        before = self._active.get(symbol)
        self._active[symbol] = active_symbol
        return before is not None and before != active_symbol

    def forget(self, symbols: Iterable[str]) -> None:
        """Nobody asks for these roots any more."""
        for symbol in tuple(symbols):
            self._active.pop(symbol, None)

    def behind(self, symbol: str) -> str | None:
        """The contract that a row of `symbol` is about; None while it is not known."""
        return self._active.get(symbol) or (symbol if names_a_contract(symbol) else None)
