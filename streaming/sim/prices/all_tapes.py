"""All tapes together: every index, share and future printed off the walk, step by step."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import exp
from typing import Final

import numpy as np

from streaming.calendar import new_york
from streaming.clock import epoch_ms
from streaming.sim.prices.candles import CandleMaker, MinuteBar, made_up_past
from streaming.sim.prices.instruments import FUTURES, YEAR_S, Underlying
from streaming.sim.prices.listing import ListedContract, active_contract
from streaming.sim.prices.random_walk import IndexWalk
from streaming.sim.prices.tape import Kind, Tape, to_tick

_GAP: Final = 0.0025
"""Usual size of an overnight move, and of a morning's, relative to the price."""
_SHARE_LOT: Final = 40
_SESSION_MINUTES: Final = 390
_CENT: Final = 0.01


@dataclass(slots=True, eq=False)
class TapeSource:
    """One tape with what prints it: price is the leader's level times `factor`."""

    tape: Tape
    factor: float
    per_s: float
    """Shares or contracts a second, on average."""
    carry: float = 0.0
    candles: CandleMaker = field(default_factory=CandleMaker)


@dataclass(slots=True, eq=False)
class AllTapes:
    """The tapes by symbol. Quotes, sizes and volumes change once a second, prices every step."""

    walk: IndexWalk
    rng: np.random.Generator
    sources: dict[str, TapeSource] = field(default_factory=dict)
    _contracts: dict[str, ListedContract] = field(default_factory=dict)
    _contracts_day: int = 0

    def open(
        self, traits: Mapping[str, Underlying], *, at: datetime, elapsed_s: float, shares: Sequence[Underlying] = ()
    ) -> None:
        """Put in a tape for every underlying and every future of its leaders, `elapsed_s` into the session.

        Those of plain `shares` have no minutes before it.
        """
        levels = {item.leader: traits[item.leader] for item in traits.values()}
        days = {name: self.rng.standard_normal(3).tolist() for name in levels}
        for item in traits.values():
            kind: Kind = "index" if item.is_index else "share"
            tape = Tape(item.wire, kind, item.leader, _CENT)
            factor = item.spot / levels[item.leader].spot
            self.sources[item.wire] = TapeSource(tape, factor, item.shares_per_s)
        for future in FUTURES.values():
            if future.leader in levels:
                tape = Tape(future.root, "future", future.leader, future.tick)
                carry = levels[future.leader].carry
                self.sources[future.root] = TapeSource(tape, 1.0, future.contracts_per_s, carry)
        self._age_factors(at)
        past = self.rng.spawn(1)[0].standard_normal((len(levels), min(int(elapsed_s) // 60, _SESSION_MINUTES)))
        noise = dict(zip(levels, past.tolist(), strict=True))
        for source in self.sources.values():
            _begin(source, self._price(source), days[source.tape.leader], elapsed_s=elapsed_s, at_ms=epoch_ms(at))
            before = noise[source.tape.leader]
            source.candles.recall(made_up_past(source.tape, before, per_s=source.per_s, until_ms=epoch_ms(at)))
        for item in shares:
            factor = item.spot / levels[item.leader].spot
            source = self.sources[item.wire] = TapeSource(
                Tape(item.wire, "share", item.leader, _CENT), factor, item.shares_per_s
            )
            _begin(source, self._price(source), days[item.leader], elapsed_s=elapsed_s, at_ms=epoch_ms(at))

    def find(self, symbol: str, at: datetime) -> Tape | None:
        """The tape of `$SPX`, `SPY`, `/ES` or the active `/ESZ26`, or None."""
        source = self.sources.get(symbol)
        if source is None and symbol.startswith("/"):
            source = next(
                (self.sources[root] for root in self._futures() if self.contract(root, at).symbol == symbol), None
            )
        return source.tape if source else None

    def contract(self, root: str, at: datetime) -> ListedContract:
        """The active contract of a futures root."""
        day = new_york(at).toordinal()
        if day != self._contracts_day:
            self._contracts_day = day
            self._contracts.clear()
        if root not in self._contracts:
            self._contracts[root] = active_contract(FUTURES[root], new_york(at).date())
        return self._contracts[root]

    def candles(self, symbol: str) -> list[MinuteBar]:
        """Finished minutes of a symbol, oldest first."""
        return list(self.sources[symbol].candles.done)

    def step(self, at: datetime, *, cash: bool) -> None:
        """Print the walk's levels; only futures move outside the cash session."""
        at_ms = epoch_ms(at)
        for source in self._running(cash):
            source.tape.trade(self._price(source), size=0, at_ms=at_ms)

    def second(self, at: datetime, *, cash: bool) -> None:
        """A second's volume, quotes and candles, after its last step."""
        at_ms = epoch_ms(at)
        self._age_factors(at)
        for source in self._running(cash):
            self._trade(source, at_ms, pace=1.0 if cash else 0.1)

    def begin_day(self, *, futures: bool) -> None:
        """Roll closes and ranges, of the futures or of all others."""
        for source in self._those(futures=futures):
            source.tape.begin_day(self._price(source))

    def end_day(self) -> None:
        """The night's reset of everything but futures."""
        for source in self._those(futures=False):
            source.tape.end_day()

    def forget_volumes(self) -> None:
        """The morning's reset of everything but futures."""
        for source in self._those(futures=False):
            source.tape.volume = 0

    def _running(self, cash: bool) -> list[TapeSource]:
        """What trades now."""
        return [
            source
            for source in self.sources.values()
            if (cash or source.tape.kind == "future") and not source.tape.halted
        ]

    def _those(self, *, futures: bool) -> list[TapeSource]:
        return [source for source in self.sources.values() if (source.tape.kind == "future") is futures]

    def _trade(self, source: TapeSource, at_ms: int, *, pace: float) -> None:
        tape = source.tape
        if tape.kind != "index":
            size = int(self.rng.poisson(source.per_s * pace * self.rng.gamma(2.0, 0.5)))
            tape.trade(tape.last, size=size, at_ms=at_ms)
            lot = _SHARE_LOT if tape.kind == "share" else 1
            bid_size, ask_size = (self.rng.geometric(0.1, 2) * lot).tolist()
            tape.quote(at_bid=self.rng.random() < 0.5, sizes=(bid_size, ask_size), at_ms=at_ms)  # noqa: PLR2004 - a coin
        source.candles.see(tape, at_ms)

    def _futures(self) -> list[str]:
        return [symbol for symbol, source in self.sources.items() if source.tape.kind == "future"]

    def _age_factors(self, at: datetime) -> None:
        """The futures' basis shrinks as their expiry comes nearer."""
        for root in self._futures():
            left_s = max((self.contract(root, at).expires_at - at).total_seconds(), 0.0)
            self.sources[root].factor = exp(self.sources[root].carry * left_s / YEAR_S)

    def _price(self, source: TapeSource) -> float:
        return to_tick(self.walk.level(source.tape.leader) * source.factor, source.tape.tick)


def _begin(source: TapeSource, price: float, day: list[float], *, elapsed_s: float, at_ms: int) -> None:
    """Give a tape a plausible day so far: previous close, open and range from three draws."""
    tape = source.tape
    gap, morning, wiggle = day
    tape.last, tape.trade_ms, tape.quote_ms = price, at_ms, at_ms
    started = elapsed_s > 0.0
    tape.open = to_tick(price * (1.0 - 0.5 * _GAP * morning), tape.tick) if started else price
    tape.close = to_tick(tape.open * (1.0 - _GAP * gap), tape.tick)
    reach = 0.2 * _GAP * abs(wiggle) * price if started else 0.0
    tape.high = to_tick(max(price, tape.open) + reach, tape.tick)
    tape.low = to_tick(min(price, tape.open) - reach, tape.tick)
    tape.volume = int(source.per_s * elapsed_s)
