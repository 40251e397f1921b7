"""The engines of all tickers: chains, prices and quotes to whom they concern, snapshots on demand. No I/O."""

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial

import numpy as np

from streaming.engine_protocol import ChainReceipt, Load, Spot
from streaming.gex.engine import GexEngine
from streaming.gex.point_views import relatives_of
from streaming.model import GexSnapshot, OptionChain, OptionQuote, ScopeName
from streaming.schwab.chains import parse_chain
from streaming.sources.chain_parts import ChainParts
from streaming.sources.files import parse_any
from streaming.symbols import Ticker


class EngineRoom:
    """One engine a ticker; several tickers may share an underlying."""

    def __init__(self, tickers: Sequence[Ticker], *, scope: ScopeName) -> None:
        self.tickers = tuple(tickers)
        self._engines = {ticker.name: GexEngine(ticker, scope=scope) for ticker in tickers}
        self._parts: dict[str, ChainParts] = {ticker.underlying: ChainParts() for ticker in tickers}
        self._by_root: dict[str, list[GexEngine]] = {}
        self._by_wire: dict[str, list[Callable[[float, int], None]]] = {}
        for ticker in self.tickers:
            engine = self._engines[ticker.name]
            self._by_wire.setdefault(ticker.wire, []).append(engine.on_spot)
            for kind, wire in relatives_of(ticker).items():
                self._by_wire.setdefault(wire, []).append(partial(engine.on_relative, kind))

    def load(self, order: Load, payload: bytes) -> ChainReceipt:
        """Parse a chain, or one expiry of it, and hand the whole to the engines as far as there is one.

        ContractError when the bytes are no chain.
        """
        began_s = time.perf_counter()
        part = _parse(order, payload)
        whole = self._whole(order, part)
        roots = tuple(str(root) for root in np.unique(part.root))
        if whole is not None:
            self.on_chain(order.underlying, whole)
        return ChainReceipt(
            contracts=len(part),
            roots=roots,
            complete=whole is not None,
            spot=part.spot if part.spot > 0.0 else None,
            asof=part.asof,
            delayed=part.delayed,
            took_ms=(time.perf_counter() - began_s) * 1000.0,
        )

    def _whole(self, order: Load, part: OptionChain) -> OptionChain | None:
        if order.expiry is None:
            return part
        parts = self._parts[order.underlying]
        parts.keep_only(order.planned)
        parts.add(order.expiry, part)
        return parts.whole(order.required)

    def on_chain(self, underlying: str, chain: OptionChain) -> None:
        """Feed a whole chain to every engine on that underlying."""
        engines = [self._engines[ticker.name] for ticker in self.tickers if ticker.underlying == underlying]
        for engine in engines:
            engine.on_chain(chain)
        self._by_root |= {str(root): engines for root in np.unique(chain.root)}

    def take(self, spots: Iterable[Spot], quotes: Sequence[OptionQuote]) -> None:
        """Feed live prices and quotes to the engines they concern."""
        for symbol, price, event_ms in spots:
            for listener in self._by_wire.get(symbol, ()):
                listener(price, event_ms)
        for root, own in _by_root(quotes).items():
            for engine in self._by_root.get(root, ()):
                engine.on_option(own)

    def compute(self, name: str, now: datetime) -> GexSnapshot | None:
        """The snapshot of one ticker now; None before its first chain."""
        return self._engines[name].compute(now)

    def tidy(self) -> bool:
        """Do one engine's work that may be done ahead of time; False when there is none."""
        return any(engine.tidy() for engine in self._engines.values())

    def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings, each once."""
        symbols: dict[str, None] = {}
        for underlying in dict.fromkeys(ticker.underlying for ticker in self.tickers):
            name = next(ticker.name for ticker in self.tickers if ticker.underlying == underlying)
            symbols.update(dict.fromkeys(self._engines[name].near_symbols(per_underlying)))
        return tuple(symbols)


def _parse(order: Load, payload: bytes) -> OptionChain:
    if order.kind == "cboe":
        return parse_any(payload, asof=order.asof)
    return parse_chain(payload, ticker=order.underlying, asof=order.asof, source=order.source)


def option_root(symbol: str) -> str:
    """The root of a 21-character option symbol: `SPXW` of `SPXW  260820C06400000`."""
    return symbol[:6].rstrip()


def _by_root(quotes: Sequence[OptionQuote]) -> dict[str, list[OptionQuote]]:
    found: dict[str, list[OptionQuote]] = {}
    for quote in quotes:
        found.setdefault(option_root(quote.symbol), []).append(quote)
    return found
