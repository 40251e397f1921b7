"""Live chains from Schwab: one expiry a request, within the budget, the last good part kept."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from streaming.calendar import new_york
from streaming.clock import Clock
from streaming.errors import ContractError, GexcordError, LoginRequiredError, RequestError, TransientError
from streaming.model import OptionChain
from streaming.schwab.chains import merge_chains, parse_chain
from streaming.schwab.rest import Expiration
from streaming.schwab.stored_logins import Logins
from streaming.sources.chain_plan import ChainPlan, ChainRequest
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_WORKERS: Final = 3
_IDLE_S: Final = 0.25
_EXPIRATIONS_EVERY_S: Final = 900.0
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 30.0


class ChainRest(Protocol):
    """The two calls the poller makes."""

    async def expirations(self, symbol: str) -> Sequence[Expiration]: ...

    async def chain(self, symbol: str, expiry: date) -> bytes: ...


class ChainPoller:
    """Asks for the chains of all underlyings and hands each completed picture to `on_chain`.

    Until every planned expiry of an underlying has been loaded once, nothing is handed on: a sum over
    half of the expiries would look like the whole. With `logins`, a login that is over is waited for.
    """

    def __init__(
        self,
        rest: ChainRest,
        tickers: Sequence[Ticker],
        *,
        on_chain: Callable[[str, OptionChain], None],
        requests_per_minute: int,
        days: int,
        clock: Clock,
        logins: Logins | None = None,
    ) -> None:
        self._rest = rest
        self._names = {ticker.wire: ticker.underlying for ticker in tickers}
        self._on_chain = on_chain
        self._days = days
        self._clock = clock
        self._logins = logins
        self._plan = ChainPlan(requests_per_minute)
        self._parts: dict[str, dict[date, OptionChain]] = {wire: {} for wire in self._names}
        self.errors = 0
        self.last_error: str | None = None
        self.needs_login: str | None = None
        """Why nothing is asked for now; None while polling."""

    async def run(self) -> None:
        """Poll until cancelled; operator matters end it, LoginRequiredError only without `logins`."""
        async with asyncio.TaskGroup() as group:
            for wire in self._names:
                group.create_task(self._keep_expirations(wire), name=f"expirations {wire}")
            for number in range(_WORKERS):
                group.create_task(self._work(), name=f"chains {number}")

    def progress(self) -> Mapping[str, tuple[int, int]]:
        """Per underlying: expiries loaded and planned."""
        return {name: self._plan.progress(wire) for wire, name in self._names.items()}

    def nearest_age_s(self) -> Mapping[str, float | None]:
        """Per underlying: the age of its nearest expiry's chain."""
        now_s = self._clock.monotonic()
        return {name: next(iter(self._plan.ages_s(wire, now_s).values()), None) for wire, name in self._names.items()}

    async def _keep_expirations(self, wire: str) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                listed = await self._rest.expirations(wire)
            except (TransientError, ContractError, RequestError) as error:
                self._note(f"expirations of {wire}", error)
                wish_s = error.retry_after_s if isinstance(error, TransientError) else None
                wait_s, retry_s = max(retry_s, wish_s or 0.0), min(retry_s * 2.0, _LAST_RETRY_S)
            except LoginRequiredError as error:
                await self._wait_for_login(error)
                continue
            else:
                self._plan.update(wire, self._planned(listed))
                self._drop_vanished(wire)
                wait_s, retry_s = _EXPIRATIONS_EVERY_S, _FIRST_RETRY_S
            await self._clock.sleep(wait_s)

    def _planned(self, listed: Sequence[Expiration]) -> list[date]:
        today = new_york(self._clock.now()).date()
        last = today + timedelta(days=self._days)
        return [item.expiry for item in listed if today <= item.expiry <= last]

    def _drop_vanished(self, wire: str) -> None:
        planned = self._plan.ages_s(wire, self._clock.monotonic())
        self._parts[wire] = {expiry: part for expiry, part in self._parts[wire].items() if expiry in planned}

    async def _work(self) -> None:
        while True:
            request = self._plan.take(self._clock.monotonic())
            if request is None:
                await asyncio.sleep(_IDLE_S)
            else:
                await self._load(request)

    async def _load(self, request: ChainRequest) -> None:
        try:
            payload = await self._rest.chain(request.symbol, request.expiry)
            part = parse_chain(payload, ticker=self._names[request.symbol], asof=self._asof())
        except TransientError as error:
            self._note(f"chain {request.symbol} {request.expiry}", error)
            self._plan.failed(request, self._clock.monotonic(), retry_after_s=error.retry_after_s)
            if error.retry_after_s:
                self._plan.postpone(self._clock.monotonic(), error.retry_after_s)
        except (ContractError, RequestError) as error:
            self._note(f"chain {request.symbol} {request.expiry}", error)
            self._plan.failed(request, self._clock.monotonic())
        except LoginRequiredError as error:
            self._plan.failed(request, self._clock.monotonic())
            await self._wait_for_login(error)
        else:
            self._accept(request, part)

    def _accept(self, request: ChainRequest, part: OptionChain) -> None:
        parts = self._parts[request.symbol]
        parts[request.expiry] = _with_known_open_interest(part, parts.get(request.expiry))
        self._plan.loaded(request, self._clock.monotonic())
        if self._plan.complete(request.symbol):
            self._on_chain(self._names[request.symbol], merge_chains([parts[expiry] for expiry in sorted(parts)]))

    async def _wait_for_login(self, error: LoginRequiredError) -> None:
        if self._logins is None:
            raise error
        seen = self._logins.glance()
        self.needs_login = error.sentence
        try:
            await self._logins.changed_from(seen)
        finally:
            self.needs_login = None

    def _asof(self) -> datetime:
        return self._clock.now()

    def _note(self, subject: str, error: GexcordError) -> None:
        self.errors += 1
        self.last_error = f"{subject}: {error}"
        _LOG.warning("%s failed: %s", subject, error)


def _with_known_open_interest(part: OptionChain, known: OptionChain | None) -> OptionChain:
    """The part, or the known open interest in it when Schwab sends none at all (schwab-api.md §3.1)."""
    if known is None or part.open_interest.any() or not known.open_interest.any():
        return part
    by_symbol = dict(zip(known.symbol.tolist(), known.open_interest.tolist(), strict=True))
    interest = part.open_interest.copy()
    for row, symbol in enumerate(part.symbol.tolist()):
        interest[row] = by_symbol.get(symbol, 0.0)
    return replace(part, open_interest=interest)
