"""CHART_EQUITY and CHART_FUTURES: the last finished minute of each key (specs/schwab-wire.md §2.13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from streaming.calendar import new_york
from streaming.clock import instant_of
from streaming.sim.market import Market
from streaming.sim.prices.candles import MinuteBar
from streaming.sim.stream.numbered_rows import Row, number, only

ChartService = Literal["CHART_EQUITY", "CHART_FUTURES"]
_DAY_MS: Final = 86_400_000
_FIRST_MINUTE: Final = 7 * 60
"""Field 1 of CHART_EQUITY counts minutes from 07:00 in New York."""


@dataclass(frozen=True, slots=True)
class ChartRows:
    """One chart service."""

    market: Market
    service: ChartService

    def fixed(self, key: str) -> Row | None:
        """Charts have no other fields than the candle's."""
        return {} if self._candle(key) is not None else None

    def live(self, keys: Sequence[str], fields: frozenset[str]) -> dict[str, Row]:
        found = ((key, self._candle(key)) for key in keys)
        return {key: only(self._row(candle), fields | {"seq"}) for key, candle in found if candle is not None}

    def _candle(self, key: str) -> MinuteBar | None:
        tape = self.market.tape(key)
        if tape is None or (tape.kind == "future") is (self.service == "CHART_EQUITY"):
            return None
        done = self.market.candles(tape.symbol)
        return done[-1] if done else None

    def _row(self, candle: MinuteBar) -> Row:
        prices = [number(value) for value in (candle.open, candle.high, candle.low, candle.close)]
        if self.service == "CHART_FUTURES":
            values = [candle.start_ms, *prices, candle.volume]
        else:
            at = new_york(instant_of(candle.start_ms))
            minute = at.hour * 60 + at.minute - _FIRST_MINUTE
            values = [minute, *prices, candle.volume, candle.start_ms, candle.start_ms // _DAY_MS]
        return {str(i): value for i, value in enumerate(values, start=1)} | {"seq": candle.seq}
