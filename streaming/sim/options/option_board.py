"""The option board of one underlying: lines, their trades of the day, and quotes of any rows on demand."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.sim.options.black_scholes import price as model_price
from streaming.sim.options.black_scholes import value_lines
from streaming.sim.options.contract_lines import FLOOR_S, ContractLines, Group, usable
from streaming.sim.options.flow import VolumeFlow
from streaming.sim.prices.instruments import RATE, YEAR_S, Underlying

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_THREE: Final = 3.0
_DEEP: Final = 3.2
"""Deviations in the money from which the model gives up."""
_OVERNIGHT_MS: Final = 64_800_000
_STAYS_OPEN: Final = 0.3
"""Share of a day's volume that is open interest on the next."""
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class OptionQuotes:
    """Live columns of some rows; prices in points, volatility as a fraction, greeks per share.

    `failed` marks rows whose model gives no volatility and no greeks on the wire.
    """

    rows: Ints
    bid: Floats
    ask: Floats
    bid_size: Ints
    ask_size: Ints
    theoretical: Floats
    iv: Floats
    failed: NDArray[np.bool_]
    delta: Floats
    gamma: Floats
    theta: Floats
    vega: Floats
    rho: Floats
    quote_ms: Ints


@dataclass(slots=True, eq=False)
class Trades:
    """The day's trades per line: 0 where nothing has traded today."""

    last: Floats
    last_size: Ints
    trade_ms: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    """The previous day's."""


@dataclass(slots=True, eq=False)
class OptionBoard:
    """One underlying's options. `spot`, `vol_factor` and `now_s` are set by the market at every step."""

    underlying: Underlying
    lines: ContractLines
    groups: tuple[Group, ...]
    flow: VolumeFlow
    model_fails: bool
    """Whether deep lines lose their volatility, as Schwab's do; a real chain brings its own bad ones."""
    spot: float
    previous_spot: float
    """At the previous close; options' closes are priced at it."""
    now_s: float
    vol_factor: float = 1.0
    halted: bool = False
    """Nothing trades and no quote changes."""
    asleep: bool = False
    """Between the night's reset and the open, when the model gives nothing."""
    trades: Trades = field(init=False)
    _row_of: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self._row_of = {symbol: row for row, symbol in enumerate(self.lines.symbol)}
        self.trades = self._opening_trades()

    def row_of(self, symbol: str) -> int | None:
        """The row of a 21-character symbol that has not settled, or None."""
        row = self._row_of.get(symbol)
        return row if row is not None and self.lines.settle_s[row] > self.now_s else None

    def listed(self) -> tuple[Group, ...]:
        """Expiries that have not settled, nearest first."""
        return tuple(group for group in self.groups if self.lines.settle_s[group.start] > self.now_s)

    def group_of(self, row: int) -> Group:
        """The expiry that holds a row."""
        return self.groups[bisect_right(self.groups, row, key=lambda group: group.start) - 1]

    def trade_second(self, *, now_s: int, elapsed_s: float) -> None:
        """Let a second of volume happen, at the prices of the moment."""
        before = self.lines.volume.copy()
        rows = self.flow.trade_second(self.lines, spot=self.spot, now_s=now_s, elapsed_s=elapsed_s)
        if not rows.size:
            return
        prices, trades = self.prices(rows), self.trades
        first = before[rows] == 0
        trades.last[rows] = prices
        trades.last_size[rows] = np.minimum(self.lines.volume[rows] - before[rows], 40)
        trades.trade_ms[rows] = now_s * 1000 - self._noise(rows, 7) % 900
        trades.open[rows] = np.where(first, prices, trades.open[rows])
        trades.high[rows] = np.where(first, prices, np.maximum(trades.high[rows], prices))
        trades.low[rows] = np.where(first, prices, np.minimum(trades.low[rows], prices))

    def end_day(self) -> None:
        """The night's reset: volume becomes open interest, highs, lows and volatilities become 0."""
        self.lines.open_interest += (_STAYS_OPEN * self.lines.volume).astype(np.int64)
        self.lines.volume[:] = 0
        self.trades.high[:] = self.trades.low[:] = 0.0
        self.asleep = True

    def forget_opens(self) -> None:
        """The morning's reset."""
        self.trades.open[:] = 0.0

    def reload_closes(self) -> None:
        """Yesterday's prices become the closes."""
        self.trades.close[:] = self._closes(np.arange(len(self.lines)))

    def prices(self, rows: Ints) -> Floats:
        """Trade prices on the tick grid."""
        value = self._price_at(rows, spot=self.spot, t=self._years(rows))
        return _to_tick(value, self._tick_at(value))

    def quotes(self, rows: Ints) -> OptionQuotes:
        """Bid, ask, greeks of `rows` now."""
        lines = self.lines
        t = self._years(rows)
        strike, sigma = lines.strike[rows], lines.sigma[rows] * self.vol_factor
        value = value_lines(
            spot=self.spot,
            forward=self.spot * np.exp(lines.carry[rows] * t),
            strike=strike,
            t=t,
            sigma=sigma,
            rate=RATE,
            is_call=lines.is_call[rows],
        )
        bid, ask = self._bid_ask(value.price)
        iv = lines.iv[rows] * np.where(usable(lines.iv[rows]), self.vol_factor, 1.0)
        return OptionQuotes(
            rows=rows,
            bid=bid,
            ask=ask,
            bid_size=np.where(bid > 0.0, 1 + self._noise(rows, 1) % 60, 0),
            ask_size=1 + self._noise(rows, 2) % 60,
            theoretical=value.price,
            iv=iv,
            failed=self._failed(rows, iv=iv, reach=sigma * np.sqrt(t)),
            delta=value.delta,
            gamma=value.gamma,
            theta=value.theta,
            vega=value.vega,
            rho=value.rho,
            quote_ms=np.int64(self.now_s * 1000) - self._noise(rows, 3) % 400,
        )

    def _opening_trades(self) -> Trades:
        rows = np.arange(len(self.lines))
        price, close = self.prices(rows), self._closes(rows)
        traded = self.lines.volume > 0
        tick = self._tick_at(price)
        drift = _to_tick(0.15 * np.abs(price - close), tick)
        at_ms = np.int64(self.now_s * 1000)
        return Trades(
            last=np.where(traded, price, close),
            last_size=np.ones(rows.size, dtype=np.int64),
            trade_ms=at_ms - np.where(traded, self._noise(rows, 5) % 60_000, _OVERNIGHT_MS),
            open=np.where(traded, np.round(price + drift, 2), 0.0),
            high=np.where(traded, np.round(price + drift, 2), 0.0),
            low=np.where(traded, np.round(np.maximum(price - drift, 0.0), 2), 0.0),
            close=close,
        )

    def _closes(self, rows: Ints) -> Floats:
        """Yesterday's prices: yesterday's spot, with a night more to go."""
        years = self._years(rows) + _OVERNIGHT_MS / 1000.0 / YEAR_S
        value = self._price_at(rows, spot=self.previous_spot, t=years)
        return _to_tick(value, self._tick_at(value))

    def _years(self, rows: Ints) -> Floats:
        return np.maximum(self.lines.settle_s[rows] - self.now_s, FLOOR_S) / YEAR_S

    def _price_at(self, rows: Ints, *, spot: float, t: Floats) -> Floats:
        return model_price(
            forward=spot * np.exp(self.lines.carry[rows] * t),
            strike=self.lines.strike[rows],
            t=t,
            sigma=self.lines.sigma[rows] * self.vol_factor,
            rate=RATE,
            is_call=self.lines.is_call[rows],
        )

    def _tick_at(self, value: Floats) -> Floats:
        if not self.underlying.is_index:
            return np.full(value.shape, 0.01)
        return np.where(value < _THREE, 0.05, 0.10)

    def _bid_ask(self, value: Floats) -> tuple[Floats, Floats]:
        tick = self._tick_at(value)
        wide = 0.05 if self.underlying.is_index else 0.005
        half = np.minimum(wide + 0.005 * value, 0.0007 * self.spot)
        bid = np.maximum(_to_tick(value - half, tick), 0.0)
        return bid, np.maximum(_to_tick(value + half, tick), np.round(bid + tick, 2))

    def _failed(self, rows: Ints, *, iv: Floats, reach: Floats) -> NDArray[np.bool_]:
        if not self.model_fails:
            return ~np.isfinite(iv)
        strike = self.lines.strike[rows]
        inside = np.where(self.lines.is_call[rows], self.spot - strike, strike - self.spot) / self.spot
        return np.asarray(inside > _DEEP * reach)

    def _noise(self, rows: Ints, salt: int) -> Ints:
        """Numbers that look random, fixed by row, second and salt."""
        seed = np.uint64((int(self.now_s) * 64 + salt) % 2**63)
        mixed = (rows.astype(np.uint64) + seed) * _MIX
        return np.asarray((mixed >> np.uint64(33)).astype(np.int64))


def _to_tick(value: Floats, tick: Floats) -> Floats:
    return np.round(np.round(value / tick) * tick, 2)
