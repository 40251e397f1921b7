"""The currency pairs of the simulated world: each walks by itself while futures trade. Pure, seeded."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streaming.sim.prices.tape import Tape, to_tick
from streaming.sim.prices.walk import IndexWalk


@dataclass(frozen=True, slots=True)
class Pair:
    """A currency pair; `sigma` per year, `tick` in the quote currency."""

    symbol: str
    rate: float
    sigma: float
    tick: float
    digits: int


PAIRS: Final[Mapping[str, Pair]] = {
    item.symbol: item
    for item in (
        Pair("EUR/USD", 1.1642, 0.07, 0.0001, 4),
        Pair("GBP/USD", 1.3385, 0.08, 0.0001, 4),
        Pair("USD/JPY", 152.36, 0.09, 0.01, 2),
        Pair("AUD/USD", 0.6537, 0.09, 0.0001, 4),
    )
}
_UNIT: Final = 100_000
_GAP: Final = 0.002


@dataclass(slots=True, eq=False)
class ForexDesk:
    """One tape per pair; quotes change once a second."""

    rng: np.random.Generator
    tapes: dict[str, Tape] = field(default_factory=dict)
    _walks: dict[str, IndexWalk] = field(default_factory=dict)

    def open(self, at_ms: int) -> None:
        """Begin, a day's move away from the last close."""
        for symbol, pair in PAIRS.items():
            rate = to_tick(pair.rate, pair.tick)
            close = to_tick(rate * (1.0 + _GAP * float(self.rng.standard_normal())), pair.tick)
            tape = Tape(symbol, "forex", symbol, pair.tick, last=rate, open=close, close=close, trade_ms=at_ms)
            tape.high, tape.low = max(rate, close), min(rate, close)
            self.tapes[symbol] = tape
            self._walks[symbol] = IndexWalk.start({symbol: (pair.rate, pair.sigma)}, self.rng)
            self._quote(tape, at_ms)

    def second(self, at_ms: int) -> None:
        """A second's move and quote of every pair."""
        for symbol, tape in self.tapes.items():
            walk = self._walks[symbol]
            walk.step(quiet=False)
            size = int(self.rng.poisson(3.0)) * _UNIT
            tape.trade(to_tick(walk.level(symbol), tape.tick), size=size, at_ms=at_ms)
            self._quote(tape, at_ms)

    def begin_day(self) -> None:
        """Roll closes and ranges."""
        for tape in self.tapes.values():
            tape.begin_day(tape.last)

    def _quote(self, tape: Tape, at_ms: int) -> None:
        bid_size, ask_size = (self.rng.integers(1, 30, 2) * _UNIT).tolist()
        tape.quote(at_bid=bool(self.rng.integers(2)), sizes=(bid_size, ask_size), at_ms=at_ms)
