"""Live chains from Schwab: one expiry a request, within the budget, handed on as bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from streaming.calendar import new_york
from streaming.clock import Clock
from streaming.engine_host import ChainBody, ChainReceipt
from streaming.errors import ContractError, GexcordError, LoginRequiredError, RequestError, TransientError
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

    @property
    def source(self) -> str:
        """Who gave the newest chain: Schwab, or a stand-in that says so."""
        ...

    async def expirations(self, symbol: str) -> Sequence[Expiration]: ...

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> bytes: ...


class ChainPoller:
    """Asks for the chains of all underlyings and hands the bytes of each expiry to `load`.

    Each body says which expiries make up the whole: until all of them were loaded once there are no figures, for a sum
    over half of the expiries would look like the whole. With `logins`, a login that is over is waited for.
    `expiries` and `strikes` (on either side of the money) limit what is asked for; 0 is no limit.
    """

    def __init__(
        self,
        rest: ChainRest,
        tickers: Sequence[Ticker],
        *,
        load: Callable[[ChainBody], Awaitable[ChainReceipt]],
        requests_per_minute: int,
        days: int,
        clock: Clock,
        expiries: int = 0,
        strikes: int = 0,
        logins: Logins | None = None,
    ) -> None:
        self._rest = rest
        self._names = {ticker.wire: ticker.underlying for ticker in tickers}
        self._hand_over = load
        self._days = days
        self._most_expiries = expiries
        self._strikes = strikes
        self._clock = clock
        self._logins = logins
        self._plan = ChainPlan(requests_per_minute)
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

    def poll_again(self) -> None:
        """Ask for everything again at once: the engines have lost what they had."""
        self._plan.forget_loaded()

    def progress(self) -> Mapping[str, tuple[int, int]]:
        """Per underlying: expiries loaded and planned."""
        return {name: self._plan.progress(wire) for wire, name in self._names.items()}

    def nearest_age_s(self) -> Mapping[str, float | None]:
        """Per underlying: the age of its nearest expiry's chain."""
        now_s = self._clock.monotonic()
        return {name: next(iter(self._plan.ages_s(wire, now_s).values()), None) for wire, name in self._names.items()}

    def expiry_age_s(self) -> Mapping[str, Mapping[str, float | None]]:
        """Per underlying: the age of each planned expiry's chain, nearest first; None before it was loaded."""
        now_s = self._clock.monotonic()
        return {
            name: {expiry.isoformat(): age_s for expiry, age_s in self._plan.ages_s(wire, now_s).items()}
            for wire, name in self._names.items()
        }

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
                wait_s, retry_s = _EXPIRATIONS_EVERY_S, _FIRST_RETRY_S
            await self._clock.sleep(wait_s)

    def _planned(self, listed: Sequence[Expiration]) -> list[date]:
        today = new_york(self._clock.now()).date()
        last = today + timedelta(days=self._days)
        wanted = sorted({item.expiry for item in listed if today <= item.expiry <= last})
        return wanted[: self._most_expiries or None]

    async def _work(self) -> None:
        while True:
            request = self._plan.take(self._clock.monotonic())
            if request is None:
                await asyncio.sleep(_IDLE_S)
            else:
                await self._load(request)

    async def _load(self, request: ChainRequest) -> None:
        try:
            payload = await self._rest.chain(request.symbol, request.expiry, strikes=self._strikes)
            await self._accept(request, payload, self._clock.now())
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

    async def _accept(self, request: ChainRequest, payload: bytes, asof: datetime) -> None:
        """Hand an answer to the engines; ContractError when it is no chain."""
        body = ChainBody(
            underlying=self._names[request.symbol],
            kind="schwab",
            payload=payload,
            source=self._rest.source,
            asof=asof,
            expiry=request.expiry,
            planned=self._plan.planned(request.symbol),
            required=self._plan.required(request.symbol),
        )
        try:
            await self._hand_over(body)
        except TransientError as error:  # the engines are away, which is not the request's fault
            self._note(f"chain {request.symbol} {request.expiry}", error)
            self._plan.put_back(request)
        else:
            self._plan.loaded(request, self._clock.monotonic())

    async def _wait_for_login(self, error: LoginRequiredError) -> None:
        if self._logins is None:
            raise error
        seen = self._logins.glance()
        self.needs_login = error.sentence
        try:
            await self._logins.changed_from(seen)
        finally:
            self.needs_login = None

    def _note(self, subject: str, error: GexcordError) -> None:
        self.errors += 1
        self.last_error = f"{subject}: {error}"
        _LOG.warning("%s failed: %s", subject, error)
