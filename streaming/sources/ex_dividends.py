"""When shares and ETFs next trade without a dividend: asked of Schwab's quotes, one request for all of them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Protocol

from streaming.calendar import new_york
from streaming.clock import Clock
from streaming.errors import GexcordError
from streaming.symbols import Ticker, is_index

_LOG: Final = logging.getLogger(__name__)
_EVERY_S: Final = 6 * 3600.0
"""A date is declared weeks before."""
_FIRST_RETRY_S: Final = 60.0
_LAST_RETRY_S: Final = 3600.0


class DividendRest(Protocol):
    """The one call it makes."""

    async def ex_dividends(self, symbols: Sequence[str]) -> Mapping[str, Sequence[date]]: ...


class ExDividends:
    """Knows the next ex-dividend date of each underlying while it runs; indexes, whose options are European, have none.

    Nothing depends on an answer: while there is none, the forward tells (`specs/gex-method.md` §7).
    """

    def __init__(self, rest: DividendRest, tickers: Sequence[Ticker], clock: Clock) -> None:
        self._rest = rest
        self._wires = tuple(dict.fromkeys(ticker.wire for ticker in tickers if not is_index(ticker.wire)))
        self._clock = clock
        self._dates: dict[str, Sequence[date]] = {}

    def next_of(self, wire: str) -> date | None:
        """The first date after today in New York; None while none is known."""
        return next_after(self._dates.get(wire, ()), self._clock.now())

    async def run(self) -> None:
        """Ask every few hours until cancelled; ends at once where there is nothing to ask for."""
        retry_s = _FIRST_RETRY_S
        while self._wires:
            try:
                self._dates |= await self._rest.ex_dividends(self._wires)
            except GexcordError as error:
                _LOG.info("ex-dividend dates were not read: %s", error)
                wait_s, retry_s = retry_s, min(retry_s * 2.0, _LAST_RETRY_S)
            else:
                wait_s, retry_s = _EVERY_S, _FIRST_RETRY_S
            await self._clock.sleep(wait_s)


def next_after(dates: Iterable[date], now: datetime) -> date | None:
    """The first date after today in New York."""
    today = new_york(now).date()
    return min((day for day in dates if day > today), default=None)
