"""The engines of all tickers: chains, prices and quotes to whom they concern, snapshots on demand. No I/O."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from streaming.chains.expiry_sizes import doubt
from streaming.chains.files.chain_files import parse_any, with_spot
from streaming.chains.judgement import (
    believable,
    require_both_sides,
    require_own,
    require_weight,
    sizes_of,
    with_known_interest,
)
from streaming.chains.osi import rows_by_root
from streaming.chains.schwab import merge_chains, read_answer, renew_merged
from streaming.engine.protocol import AheadPiece, ChainReceipt, Doubtful, Load, Spot
from streaming.gex.engine import GexEngine
from streaming.gex.points.point_views import relatives_of
from streaming.gex.results.ahead import Work
from streaming.model import GexSnapshot, OptionQuote, OptionTrades, ScopeName, VolatilityRule
from streaming.option_chain import OptionChain
from streaming.symbols import Ticker

_PIECES: Final = 8
"""Of a map at a time, in a few milliseconds: what else is ordered meanwhile comes in between."""

OfOption = TypeVar("OfOption", OptionQuote, OptionTrades)


class EngineRoom:
    """One engine a ticker; several tickers may share an underlying."""

    def __init__(self, tickers: Sequence[Ticker], *, scope: ScopeName, volatility: VolatilityRule = "quotes") -> None:
        self.tickers = tuple(tickers)
        self._engines = {ticker.name: GexEngine(ticker, scope=scope, volatility=volatility) for ticker in tickers}
        self._parts: dict[str, ChainParts] = {ticker.underlying: ChainParts() for ticker in tickers}
        self._wholes: dict[str, OptionChain] = {}
        self._by_root: dict[str, list[GexEngine]] = {}
        self._roots: dict[str, NDArray[np.str_]] = {}
        """By underlying: the roots that are in `_by_root` already."""
        self._maps: dict[str, Work] = {}
        self._by_wire: dict[str, list[Callable[[float, int], None]]] = {}
        for ticker in self.tickers:
            engine = self._engines[ticker.name]
            self._by_wire.setdefault(ticker.wire, []).append(engine.on_spot)
            for kind, wire in relatives_of(ticker).items():
                self._by_wire.setdefault(wire, []).append(partial(engine.on_relative, kind))

    def load(self, order: Load, payload: bytes) -> ChainReceipt | Doubtful:
        """Parse a chain, or one expiry of it, and hand the whole to the engines as far as there is one.

        ContractError when the bytes are no chain or cannot be true.
        """
        sent, odd_rows = _read(order, payload)
        if (doubted := _doubted(order, sent)) is not None:
            return doubted
        part, kept_interest = with_known_interest(sent, self._known_part(order))
        whole = self._whole(order, part)
        if whole is not None:
            self.on_chain(order.underlying, whole, ex_dividend=order.ex_dividend)
        return ChainReceipt(
            contracts=len(part),
            roots=tuple(str(root) for root in np.unique(part.root)),
            complete=whole is not None,
            spot=part.spot if part.spot > 0.0 else None,
            asof=part.asof,
            delayed=part.delayed,
            sizes=sizes_of(part),
            kept_interest=kept_interest,
            odd_rows=odd_rows,
            remark=_remark(sent),
        )

    def _known_part(self, order: Load) -> OptionChain | None:
        if order.expiry is None:
            return self._wholes.get(order.underlying)
        return self._parts[order.underlying].get(order.expiry)

    def _whole(self, order: Load, part: OptionChain) -> OptionChain | None:
        """The chain of all that is known; its spot, where no part has a price, is the one its quotes imply."""
        whole: OptionChain | None = part
        if order.expiry is None:
            self._wholes[order.underlying] = part
        else:
            parts = self._parts[order.underlying]
            parts.keep_only(order.planned)
            parts.add(order.expiry, part)
            whole = parts.whole(order.required)
        return None if whole is None else with_spot(whole)

    def on_chain(self, underlying: str, chain: OptionChain, *, ex_dividend: date | None = None) -> None:
        """Feed a whole chain to every engine on that underlying, and when it next goes without a dividend."""
        engines = [self._engines[ticker.name] for ticker in self.tickers if ticker.underlying == underlying]
        for engine in engines:
            engine.on_chain(chain, ex_dividend=ex_dividend)
        if chain.root is not self._roots.get(underlying):
            self._roots[underlying] = chain.root
            self._by_root |= dict.fromkeys(rows_by_root(chain.root), engines)

    def take(self, spots: Iterable[Spot], quotes: Sequence[OptionQuote], trades: Sequence[OptionTrades] = ()) -> None:
        """Feed live prices, quotes and trades to the engines they concern."""
        for symbol, price, event_ms in spots:
            for listener in self._by_wire.get(symbol, ()):
                listener(price, event_ms)
        for root, own in _by_root(quotes).items():
            for engine in self._by_root.get(root, ()):
                engine.on_option(own)
        for root, traded in _by_root(trades).items():
            for engine in self._by_root.get(root, ()):
                engine.on_trades(traded)

    def compute(self, name: str, now: datetime) -> GexSnapshot | None:
        """The snapshot of one ticker now; None before its first chain."""
        return self._engines[name].compute(now)

    def rehearse(self, name: str, now: datetime) -> GexSnapshot | None:
        """What `compute` would say, shortly before it is asked, so that it will take less than half as long."""
        return self._engines[name].rehearse(now)

    def map_ahead(self, name: str, *, newer_than_ms: int) -> AheadPiece:
        """Go on with a ticker's map, or begin one if its last figures are newer."""
        work = self._maps.setdefault(name, self._engines[name].map_ahead(newer_than_ms=newer_than_ms))
        pieces = list(islice(work, _PIECES))
        made = pieces[-1] if pieces else None
        if made is None and len(pieces) == _PIECES:
            return AheadPiece(done=False)
        del self._maps[name]
        return AheadPiece(done=True, day_map=made)

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


def _read(order: Load, payload: bytes) -> tuple[OptionChain, int]:
    """What an answer holds, as far as it can be true, and how many rows could not be read."""
    if order.kind == "cboe":
        chain = parse_any(payload, asof=order.asof)
        require_own(chain, order.underlying)
        require_both_sides(chain)
        require_weight(chain)
        return chain, 0
    answer = read_answer(payload, ticker=order.underlying, asof=order.asof, source=order.source)
    return believable(answer, underlying=order.underlying, expiry=order.expiry), answer.odd_rows


def _doubted(order: Load, sent: OptionChain) -> Doubtful | None:
    if order.known is None:
        return None
    sizes = sizes_of(sent)
    reason = doubt(sizes, order.known, strikes=order.strikes, at=order.came_at or sent.asof)
    return None if reason is None else Doubtful(reason, sizes)


def _remark(sent: OptionChain) -> str:
    """What a reader of the status should know of an answer that was taken."""
    if len(sent) == 0:
        return "only adjusted contracts or minis, of which none is used"
    remarks = []
    if not sent.open_interest.any():
        remarks.append("no open interest at all")
    if not sent.spot > 0.0:
        remarks.append("no price of the underlying")
    return ", ".join(remarks)


def option_root(symbol: str) -> str:
    """The root of a 21-character option symbol: `SPXW` of `SPXW  260820C06400000`."""
    return symbol[:6].rstrip()


def _by_root(items: Sequence[OfOption]) -> dict[str, list[OfOption]]:
    found: dict[str, list[OfOption]] = {}
    for item in items:
        found.setdefault(option_root(item.symbol), []).append(item)
    return found


class ChainParts:
    """Keeps the newest part of each expiry; there is no whole before every required expiry is there.

    A sum over half of the expiries would look like the whole. As long as every part lists what it listed, a newer one
    takes its old rows in the whole, which costs a hundredth of merging all of them.
    """

    def __init__(self) -> None:
        self._parts: dict[date, OptionChain] = {}
        self._merged: OptionChain | None = None
        """Of the parts as they were listed last."""
        self._rows: dict[date, slice] = {}
        self._newer: dict[date, None] = {}
        """Which parts the merged chain does not hold yet."""

    def get(self, expiry: date) -> OptionChain | None:
        """The part that is kept of an expiry."""
        return self._parts.get(expiry)

    def add(self, expiry: date, part: OptionChain) -> None:
        """Take a newer part."""
        before = self._parts.get(expiry)
        if before is None or not part.lists_like(before):
            self._merged = None
        self._parts[expiry] = part
        self._newer[expiry] = None

    def keep_only(self, planned: Iterable[date]) -> None:
        """Forget the expiries that are no longer planned."""
        wanted = frozenset(planned)
        kept = {expiry: part for expiry, part in self._parts.items() if expiry in wanted}
        if len(kept) < len(self._parts):
            self._parts, self._merged = kept, None

    def whole(self, required: Iterable[date]) -> OptionChain | None:
        """All parts as one chain; None while a required one is missing, or there is no contract at all."""
        if not any(map(len, self._parts.values())) or not self._parts.keys() >= frozenset(required):
            return None
        parts = [self._parts[expiry] for expiry in sorted(self._parts)]
        self._merged = self._renewed(parts) or merge_chains(parts)
        self._newer.clear()
        return self._merged

    def _renewed(self, parts: Sequence[OptionChain]) -> OptionChain | None:
        """The whole of before with what came since; None where it has to be merged anew."""
        merged = self._merged
        if merged is None or sum(map(len, parts)) > len(merged):  # no whole, or contracts that several parts list
            self._rows.clear()
            return None
        return renew_merged(
            merged, parts, [(self._place(merged, expiry), self._parts[expiry]) for expiry in self._newer]
        )

    def _place(self, merged: OptionChain, expiry: date) -> slice:
        """The rows of a part in the whole, where parts stand one after another."""
        if expiry not in self._rows:
            part = self._parts[expiry]
            start = int((merged.symbol == part.symbol[0]).argmax()) if len(part) else 0
            self._rows[expiry] = slice(start, start + len(part))
        return self._rows[expiry]
