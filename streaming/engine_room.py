"""The engines of all tickers: each event to whom it concerns, and who must compute again. No I/O."""

from collections.abc import Callable, Sequence
from datetime import datetime

from streaming.gex.engine import GexEngine
from streaming.model import GexSnapshot, OptionChain, OptionQuote, ScopeName, TickEvent
from streaming.ports import StreamEvent
from streaming.symbols import Ticker


class EngineRoom:
    """One engine a ticker; several tickers may share an underlying."""

    def __init__(self, tickers: Sequence[Ticker], *, scope: ScopeName) -> None:
        self.tickers = tuple(tickers)
        self._engines = {ticker.name: GexEngine(ticker, scope=scope) for ticker in tickers}
        self._by_wire: dict[str, list[Callable[[float, int], None]]] = {}
        self._names_by_wire: dict[str, list[str]] = {}
        for ticker in self.tickers:
            engine = self._engines[ticker.name]
            self._route(ticker.wire, ticker.name, engine.on_spot)
            if ticker.future is not None:
                self._route(ticker.future, ticker.name, engine.on_future)
        self._dirty: set[str] = set()

    def take(self, events: Sequence[StreamEvent]) -> None:
        """Feed a batch of events to the engines."""
        quotes = [event for event in events if isinstance(event, OptionQuote)]
        for event in events:
            if isinstance(event, TickEvent) and event.symbol in self._by_wire and event.last is not None:
                for listener in self._by_wire[event.symbol]:
                    listener(event.last, event.event_ms)
                self._dirty.update(self._names_by_wire[event.symbol])
        if quotes:
            for name, engine in self._engines.items():
                engine.on_option(quotes)
                self._dirty.add(name)

    def on_chain(self, underlying: str, chain: OptionChain) -> None:
        """Feed a chain to every engine on that underlying."""
        for ticker in self.tickers:
            if ticker.underlying == underlying:
                self._engines[ticker.name].on_chain(chain)
                self._dirty.add(ticker.name)

    def take_dirty(self) -> tuple[str, ...]:
        """The tickers with news since the last call."""
        names, self._dirty = tuple(sorted(self._dirty)), set()
        return names

    def compute(self, name: str, now: datetime) -> GexSnapshot | None:
        """The snapshot of one ticker now; None before its first chain."""
        return self._engines[name].compute(now)

    def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings, each once."""
        symbols: dict[str, None] = {}
        for underlying in dict.fromkeys(ticker.underlying for ticker in self.tickers):
            name = next(ticker.name for ticker in self.tickers if ticker.underlying == underlying)
            symbols.update(dict.fromkeys(self._engines[name].near_symbols(per_underlying)))
        return tuple(symbols)

    def _route(self, wire: str, name: str, listener: Callable[[float, int], None]) -> None:
        self._by_wire.setdefault(wire, []).append(listener)
        self._names_by_wire.setdefault(wire, []).append(name)
