"""What customers bought and sold of streamed options, in dealers' delta and gamma (`specs/gex-method.md` §24)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming.calendar import NEW_YORK, new_york, session_on
from streaming.clock import epoch_ms
from streaming.gex.pricing.formulas import Floats, normal_cdf
from streaming.gex.pricing.lines import Ints
from streaming.gex.pricing.priced import MULTIPLIER
from streaming.gex.results.spot_figures import SpotFigures
from streaming.model import FlowMinute, FlowSum, OptionTrades, SignedFlow

MOST_PENDING: Final = 16_384
"""Trades not valued yet, while there is no spot; with more, the oldest are lost."""
RECENT: Final = 5
"""Whole minutes that stand in a snapshot one by one."""
_LONGEST: Final = 30
_MINUTE_MS: Final = 60_000


class SignedFlowBook:
    """Values trades with the greeks of the figures that follow them, and sums them by minute and over the session.

    Keeps half an hour of minutes and the sums since the session began: the open, and before it midnight.
    """

    def __init__(self) -> None:
        self._streams_since_ms: int | None = None
        self._begin_ms = 0
        self._pending: list[OptionTrades] = []
        self._minutes: dict[int, Floats] = {}
        self._day = np.zeros(4)

    def streams(self, at_ms: int) -> None:
        """Live quotes of options come, from this instant on if none came before."""
        if self._streams_since_ms is None:
            self._streams_since_ms = at_ms

    def take(self, trades: Sequence[OptionTrades]) -> None:
        """Keep trades until there are figures to value them by."""
        self._pending += trades
        del self._pending[:-MOST_PENDING]

    def value(
        self, found: SpotFigures | None, rows: Callable[[], Mapping[str, int]], at: datetime
    ) -> SignedFlow | None:
        """The flow up to `at`, once what was taken is valued; None without streamed options or without a spot.

        `rows` says at which line of the chain an option stands; others are not of this chain.
        """
        if found is None or self._streams_since_ms is None:
            return None
        self._begin(session_begin_ms(at))
        since_ms = max(self._streams_since_ms, self._begin_ms)
        if self._pending:
            listed, pending, first_ms = rows(), self._pending, _minute_of(since_ms)
            self._pending = []
            own = [trade for trade in pending if trade.symbol in listed and trade.minute_ms >= first_ms]
            self._add(own, valued(own, found, listed))
        return self._sums(found, _minute_of(epoch_ms(at)), since_ms)

    def _begin(self, begin_ms: int) -> None:
        if begin_ms != self._begin_ms:
            self._begin_ms = begin_ms
            self._minutes.clear()
            self._day = np.zeros(4)

    def _add(self, trades: Sequence[OptionTrades], values: Floats) -> None:
        minutes, place = np.unique([trade.minute_ms for trade in trades], return_inverse=True)
        for number, at_ms in enumerate(minutes.tolist()):
            self._minutes[int(at_ms)] = self._minutes.get(int(at_ms), 0.0) + values[place == number].sum(axis=0)
        self._day = self._day + values.sum(axis=0)

    def _sums(self, found: SpotFigures, now_ms: int, since_ms: int) -> SignedFlow:
        """`now_ms` is when the running minute began; it is in no window yet."""
        oldest_ms = now_ms - _LONGEST * _MINUTE_MS
        self._minutes = {at_ms: value for at_ms, value in self._minutes.items() if at_ms >= oldest_ms}
        minute, five, thirty = (self._window(now_ms, count, since_ms) for count in (1, 5, _LONGEST))
        recent = (now_ms - back * _MINUTE_MS for back in range(RECENT, 0, -1))
        day = _flow_sum(self._day)
        volume = float(found.selection.priced.held[1].sum())
        return SignedFlow(
            since_ms=since_ms,
            seen=min(day.contracts / volume, 1.0) if volume > 0.0 else None,
            minute=minute,
            five=five,
            thirty=thirty,
            day=day,
            minutes=tuple(self._minute(at_ms) for at_ms in recent if at_ms >= since_ms),
        )

    def _window(self, now_ms: int, minutes: int, since_ms: int) -> FlowSum | None:
        """The last whole minutes; None where they begin before anybody looked."""
        begin_ms = now_ms - minutes * _MINUTE_MS
        if begin_ms < since_ms:
            return None
        inside = [value for at_ms, value in self._minutes.items() if begin_ms <= at_ms < now_ms]
        return _flow_sum(np.sum(inside, axis=0) if inside else np.zeros(4))

    def _minute(self, at_ms: int) -> FlowMinute:
        delta, gamma, *_ = self._minutes.get(at_ms, np.zeros(4)).tolist()
        return at_ms, delta, gamma


def valued(trades: Sequence[OptionTrades], found: SpotFigures, rows: Mapping[str, int]) -> Floats:
    """Shape (trades, 4): dealers' delta in dollars, their gamma in dollars per 1 %, contracts, unsure ones.

    Dealers hold the other side of what customers began. A line that cannot be priced is unsure altogether.
    """
    lines = np.array([rows[trade.symbol] for trade in trades], np.intp)
    counts = np.array([(trade.bought, trade.sold, trade.unsure) for trade in trades], np.float64).reshape(-1, 3)
    entry, is_priced = found.selection.priced.places_of(lines)
    net = np.where(is_priced, counts[:, 1] - counts[:, 0], 0.0)
    per_delta, per_gamma = _greeks(found, lines, entry) if is_priced.any() else (0.0, 0.0)
    contracts = counts.sum(axis=1)
    return np.column_stack((net * per_delta, net * per_gamma, contracts, np.where(is_priced, counts[:, 2], contracts)))


def _greeks(found: SpotFigures, lines: NDArray[np.intp], entry: Ints) -> tuple[Floats, Floats]:
    """Of one contract on each line: delta in dollars, gamma in dollars per 1 %; d1 at spot is the kernel's offset."""
    delta = normal_cdf(found.kernel.offset[entry]) - np.where(found.lines.is_call[lines], 0.0, 1.0)
    return MULTIPLIER * found.spot * delta, found.gamma[entry]


def session_begin_ms(at: datetime) -> int:
    """When the session of an instant began: at the open, before it and on other days at midnight in New York."""
    day = new_york(at).date()
    session = session_on(day)
    if session is not None and at >= session.open_at:
        return epoch_ms(session.open_at)
    return epoch_ms(datetime.combine(day, time(), NEW_YORK))


def _minute_of(instant_ms: int) -> int:
    return instant_ms // _MINUTE_MS * _MINUTE_MS


def _flow_sum(values: Floats) -> FlowSum:
    delta, gamma, contracts, unsure = values.tolist()
    return FlowSum(
        delta_usd=delta,
        gamma_usd_per_1pct=gamma,
        contracts=int(contracts),
        unsure=unsure / contracts if contracts else None,
    )
