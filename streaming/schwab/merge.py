"""Schwab sends what changed; everybody else wants what is. Deltas in, full frozen events out (schwab-api.md §2.5)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import UNSET

from streaming.model import BookLevel, DepthKind, Level2Event, OptionQuote, TickEvent
from streaming.ports import StreamEvent
from streaming.schwab import rows
from streaming.schwab.books import EasternMidnight, book_levels
from streaming.schwab.candles import candle_from
from streaming.schwab.contracts import FuturesContracts
from streaming.schwab.values import Wire, count, instant_ms, price, signed_price, volatility

_NO_TICKS: Final[frozenset[str]] = frozenset()
_UNKNOWN: Final = "Unknown"


class _State:
    """All that is known of one symbol in one service, already in our own terms."""

    __slots__ = (
        "ask", "ask_size", "bid", "bid_size", "delayed", "event_ms", "last", "last_size", "open_interest",
        "underlying_price", "volatility", "volume",
    )  # fmt: skip

    def __init__(self) -> None:
        self.delayed: bool | None = None
        self.bid: float | None = None
        self.ask: float | None = None
        self.last: float | None = None
        self.bid_size: int | None = None
        self.ask_size: int | None = None
        self.volume: int | None = None
        self.last_size: int | None = None
        self.event_ms = 0
        """The newest quote or trade known."""
        self.open_interest: int | None = None
        self.volatility: float | None = None
        self.underlying_price: float | None = None

    def overlay(self, row: rows.LevelOneRow, read: Callable[[Wire], float | None]) -> int:
        """Take over what the row names, prices by `read`, keep the rest, and return the event time.

        That is the newer of the times that changed, else the newest known, else 0 (rule 5).
        """
        if row.bid is not UNSET:
            self.bid = read(row.bid)
        if row.ask is not UNSET:
            self.ask = read(row.ask)
        if row.last is not UNSET:
            self.last = read(row.last)
        if row.bid_size is not UNSET:
            self.bid_size = count(row.bid_size)
        if row.ask_size is not UNSET:
            self.ask_size = count(row.ask_size)
        if row.volume is not UNSET:
            self.volume = count(row.volume)
        if row.last_size is not UNSET:
            self.last_size = count(row.last_size)
        if row.delayed is not UNSET:
            self.delayed = row.delayed
        return self._event_ms(row)

    def overlay_option(self, row: rows.OptionRow) -> int:
        """The same, with what only options have."""
        if row.volatility is not UNSET:
            self.volatility = volatility(row.volatility)
        if row.open_interest is not UNSET:
            self.open_interest = count(row.open_interest)
        if row.underlying_price is not UNSET:
            self.underlying_price = price(row.underlying_price)
        return self.overlay(row, signed_price)

    def _event_ms(self, row: rows.LevelOneRow) -> int:
        quote_ms = 0 if row.quote_ms is UNSET else instant_ms(row.quote_ms)
        trade_ms = 0 if row.trade_ms is UNSET else instant_ms(row.trade_ms)
        changed = max(quote_ms, trade_ms)
        self.event_ms = max(self.event_ms, changed)
        return changed or self.event_ms


class Merger:
    """The full image of every symbol of one connection; `reset` when the connection is gone.

    `quotes_only` names option symbols whose rows become an OptionQuote but no TickEvent. `seq` increases
    over the merger's whole life, across resets.
    """

    def __init__(self, *, source: str = "schwab") -> None:
        self.quotes_only: Collection[str] = _NO_TICKS
        self.seq = 0
        self._source = source
        self._states: dict[tuple[type, str], _State] = {}
        self._listings: dict[str, str] = {}
        self.listings_version = 0
        """Rises whenever a listing becomes known or changes."""
        self._contracts = FuturesContracts()
        self._rolled: dict[str, None] = {}
        self._midnight = EasternMidnight()
        self._readers: Mapping[type, Callable[[Any, int, list[StreamEvent]], None]] = {
            rows.EquityBlock: self._equities,
            rows.OptionBlock: self._options,
            rows.FutureBlock: self._futures,
            rows.FutureOptionBlock: self._others,
            rows.ForexBlock: self._others,
            rows.NyseBookBlock: self._books,
            rows.NasdaqBookBlock: self._books,
            rows.OptionsBookBlock: self._books,
            rows.EquityChartBlock: self._bars,
            rows.FutureChartBlock: self._bars,
        }

    @property
    def listings(self) -> Mapping[str, str]:
        """Listing venue of each equity as field 13 told it; kept across resets."""
        return self._listings

    @property
    def active_contracts(self) -> Mapping[str, str]:
        """Futures root -> active contract as field 34 told it; kept across resets."""
        return self._contracts.active

    def take_rolled(self) -> tuple[str, ...]:
        """Futures that rolled since the last call without a full image: ask for one."""
        rolled, self._rolled = tuple(self._rolled), {}
        return rolled

    def delayed_symbols(self) -> tuple[str, ...]:
        """Symbols whose quotes are not real time, as their full image said."""
        return tuple(sorted({symbol for (_, symbol), state in self._states.items() if state.delayed}))

    def reset(self) -> None:
        """Forget every image: the next subscription sends full ones again."""
        self._states.clear()
        self._rolled.clear()

    def apply(self, blocks: Sequence[rows.DataBlock], recv_ms: int) -> list[StreamEvent]:
        """Merge one frame's blocks that arrived at `recv_ms` and return the events, in the frame's order."""
        events: list[StreamEvent] = []
        for block in blocks:
            reader = self._readers.get(type(block))
            if reader is not None:
                reader(block, recv_ms, events)
        return events

    def _state(self, kind: type, row: rows.LevelOneRow) -> _State:
        """The symbol's state; a new one when there is none or the row is a full image (rule 1)."""
        where = (kind, row.key)
        state = self._states.get(where)
        if state is None or row.assetMainType is not UNSET or row.cusip is not UNSET or row.delayed is not UNSET:
            state = self._states[where] = _State()
        return state

    def _equities(self, block: rows.EquityBlock, recv_ms: int, events: list[StreamEvent]) -> None:
        fallback_ms = instant_ms(block.timestamp) or recv_ms
        for row in block.content:
            state = self._state(rows.EquityBlock, row)
            event_ms = state.overlay(row, price) or fallback_ms
            if row.listing and self._listings.get(row.key) != row.listing:
                self._listings[row.key] = row.listing
                self.listings_version += 1
            events.append(self._tick(row.key, state, event_ms, recv_ms))

    def _futures(self, block: rows.FutureBlock, recv_ms: int, events: list[StreamEvent]) -> None:
        fallback_ms = instant_ms(block.timestamp) or recv_ms
        for row in block.content:
            if row.active_symbol and self._contracts.learn(row.key, row.active_symbol):
                self._roll(row)
            state = self._state(rows.FutureBlock, row)
            event_ms = state.overlay(row, signed_price) or fallback_ms
            if row.status == _UNKNOWN and state.bid is None and state.ask is None and state.last is None:
                continue  # Schwab's way to say that there is no such future (§2.16)
            tick = self._tick(row.key, state, event_ms, recv_ms, self._contracts.behind(row.key))
            events.append(tick)
            if _names_the_top(row):
                events.append(self._top_of_book(tick))

    def _roll(self, row: rows.FutureRow) -> None:
        """Another contract stands behind the symbol: what was known is of the old one."""
        known = self._states.pop((rows.FutureBlock, row.key), None)
        if row.assetMainType is UNSET and row.cusip is UNSET:
            self._rolled[row.key] = None
            if known is not None:
                self._states[rows.FutureBlock, row.key] = fresh = _State()
                fresh.delayed = known.delayed

    def _options(self, block: rows.OptionBlock, recv_ms: int, events: list[StreamEvent]) -> None:
        fallback_ms = instant_ms(block.timestamp) or recv_ms
        for row in block.content:
            state = self._state(rows.OptionBlock, row)
            event_ms = state.overlay_option(row) or fallback_ms
            if row.key not in self.quotes_only:
                events.append(self._tick(row.key, state, event_ms, recv_ms))
            events.append(_option_quote(row.key, state, event_ms, recv_ms))

    def _others(self, block: rows.FutureOptionBlock | rows.ForexBlock, recv_ms: int, events: list[StreamEvent]) -> None:
        fallback_ms = instant_ms(block.timestamp) or recv_ms
        for row in block.content:
            state = self._state(type(block), row)
            event_ms = state.overlay(row, signed_price) or fallback_ms
            events.append(self._tick(row.key, state, event_ms, recv_ms))

    def _books(
        self,
        block: rows.NyseBookBlock | rows.NasdaqBookBlock | rows.OptionsBookBlock,
        recv_ms: int,
        events: list[StreamEvent],
    ) -> None:
        for row in block.content:
            event_ms = instant_ms(row.book_ms) or instant_ms(block.timestamp) or recv_ms
            midnight_ms = self._midnight.before(event_ms)
            self.seq += 1
            events.append(
                Level2Event(
                    symbol=row.key,
                    timestamp=datetime.fromtimestamp(event_ms / 1000.0, UTC),
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
        self, block: rows.EquityChartBlock | rows.FutureChartBlock, recv_ms: int, events: list[StreamEvent]
    ) -> None:
        for row in block.content:
            contract = self._contracts.behind(row.key) if isinstance(row, rows.FutureBarRow) else None
            candle = candle_from(row, recv_ms=recv_ms, source=self._source, contract=contract, seq=self.seq + 1)
            if candle is not None:
                self.seq += 1
                events.append(candle)

    def _tick(self, symbol: str, state: _State, event_ms: int, recv_ms: int, contract: str | None = None) -> TickEvent:
        self.seq += 1
        return TickEvent(
            symbol=symbol,
            timestamp=datetime.fromtimestamp(event_ms / 1000.0, UTC),
            last=state.last,
            bid=state.bid,
            ask=state.ask,
            volume=state.volume,
            bid_size=state.bid_size,
            ask_size=state.ask_size,
            last_size=state.last_size,
            event_ms=event_ms,
            recv_ms=recv_ms,
            source=self._source,
            delayed=state.delayed,
            contract=contract,
            seq=self.seq,
        )

    def _top_of_book(self, tick: TickEvent) -> Level2Event:
        self.seq += 1
        return Level2Event(
            symbol=tick.symbol,
            timestamp=tick.timestamp,
            bids=_one_level(tick.bid, tick.bid_size),
            asks=_one_level(tick.ask, tick.ask_size),
            depth_kind=DepthKind.TOP_OF_BOOK,
            event_ms=tick.event_ms,
            recv_ms=tick.recv_ms,
            source=self._source,
            contract=tick.contract,
            seq=self.seq,
        )


def _one_level(level_price: float | None, size: int | None) -> tuple[BookLevel, ...]:
    return () if level_price is None or size is None else (BookLevel(price=level_price, size=size),)


def _names_the_top(row: rows.FutureRow) -> bool:
    return not (row.bid is UNSET and row.ask is UNSET and row.bid_size is UNSET and row.ask_size is UNSET)


def _option_quote(symbol: str, state: _State, event_ms: int, recv_ms: int) -> OptionQuote:
    return OptionQuote(
        symbol=symbol,
        iv=state.volatility,
        bid=state.bid,
        ask=state.ask,
        volume=state.volume,
        open_interest=state.open_interest,
        underlying_price=state.underlying_price,
        event_ms=event_ms,
        recv_ms=recv_ms,
    )
