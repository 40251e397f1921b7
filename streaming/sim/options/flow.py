"""The day's option volume: it only grows, mostly near spot and today, in trickles and bursts. Pure, seeded."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.sim.options.contract_lines import ContractLines
from streaming.sim.options.surface import roundness, trading_weight
from streaming.sim.prices.instruments import YEAR_S, Underlying

Rows = NDArray[np.int64]
_REWEIGH_S: Final = 15
_TRADE_SIZE: Final = 5.0
_BURST_CHANCE: Final = 1.0 / 25.0
_BURST_S: Final = 8
_BURST_RATE: Final = 2.5
"""Contracts a second in a burst, relative to the ordinary flow of the whole underlying."""
_SESSION_S: Final = 23400.0


def pace_of_day(elapsed_s: float) -> float:
    """Relative activity: twice as busy at the open and 1.6 times at the close as around noon."""
    at = min(max(elapsed_s / _SESSION_S, 0.0), 1.0)
    return 0.72 + 1.1 * (1.0 - at) ** 4 + 0.8 * at**6


def traded_by(elapsed_s: float) -> float:
    """Seconds of average activity that lie behind, `elapsed_s` after the open."""
    at = min(max(elapsed_s / _SESSION_S, 0.0), 1.0)
    return _SESSION_S * (0.72 * at + 0.22 * (1.0 - (1.0 - at) ** 5) + 0.8 / 7.0 * at**7)


@dataclass(slots=True, eq=False)
class VolumeFlow:
    """Draws which lines trade, one second at a time."""

    underlying: Underlying
    rng: np.random.Generator
    cumulative: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    liking: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    burst_row: int = -1
    burst_left_s: int = 0

    def forget(self) -> None:
        """Begin anew with other lines."""
        self.cumulative = self.liking = np.empty(0)
        self.burst_left_s = 0

    def reweigh(self, lines: ContractLines, *, spot: float, now_s: float) -> None:
        """Fit the chances of the lines to spot and time; settled lines get none."""
        self.cumulative = np.cumsum(self._weights(lines, spot=spot, now_s=now_s))

    def _weights(self, lines: ContractLines, *, spot: float, now_s: float) -> NDArray[np.float64]:
        if self.liking.size != len(lines):
            self.liking = roundness(self.underlying, lines.strike)
        return trading_weight(
            self.underlying,
            strike=lines.strike,
            is_call=lines.is_call,
            liking=self.liking,
            spot=spot,
            t=(lines.settle_s - now_s) / YEAR_S,
        )

    def seed_day(self, lines: ContractLines, *, spot: float, now_s: float, elapsed_s: float) -> None:
        """Give lines the volume that a day which began `elapsed_s` ago would have by now."""
        weights = self._weights(lines, spot=spot, now_s=now_s)
        if not weights.any():
            return
        total = self.underlying.contracts_per_s * traded_by(elapsed_s)
        noise = np.exp(0.7 * self.rng.standard_normal(len(lines)))
        lines.volume[:] = np.floor(total * weights / weights.sum() * noise).astype(np.int64)

    def trade_second(self, lines: ContractLines, *, spot: float, now_s: int, elapsed_s: float) -> Rows:
        """Let one second of trades happen; adds to `volume` and returns the rows that traded."""
        if now_s % _REWEIGH_S == 0 or self.cumulative.size != len(lines):
            self.reweigh(lines, spot=spot, now_s=float(now_s))
        if not len(lines) or self.cumulative[-1] <= 0.0:
            return np.empty(0, dtype=np.int64)
        rate = self.underlying.contracts_per_s * pace_of_day(elapsed_s)
        rows = self._pick(int(self.rng.poisson(rate / _TRADE_SIZE)))
        sizes = self.rng.geometric(1.0 / _TRADE_SIZE, rows.size)
        burst = self._burst(rate)
        if burst:
            rows, sizes = np.append(rows, self.burst_row), np.append(sizes, burst)
        np.add.at(lines.volume, rows, sizes)
        return np.unique(rows)

    def _pick(self, count: int) -> Rows:
        at = self.rng.random(count) * self.cumulative[-1]
        return np.asarray(np.minimum(np.searchsorted(self.cumulative, at, side="right"), self.cumulative.size - 1))

    def _burst(self, rate: float) -> int:
        """Contracts that one line trades on top, now and then for a few seconds."""
        if self.burst_left_s == 0:
            if self.rng.random() >= _BURST_CHANCE:
                return 0
            self.burst_row, self.burst_left_s = int(self._pick(1)[0]), int(self.rng.integers(1, _BURST_S + 1))
        self.burst_left_s -= 1
        return int(self.rng.poisson(_BURST_RATE * rate * self.rng.random())) + 1
