"""Live chains from Schwab: one expiry a request, within the budget, handed on as bytes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from streaming.calendar import new_york, settle_at
from streaming.chains.corroboration import Corroboration
from streaming.clock import Clock
from streaming.engine.kept_chains import ChainDelivery
from streaming.engine.protocol import ChainReceipt
from streaming.errors import ContractError, GexcordError, OperatorError, RequestError, TransientError
from streaming.schwab.login.keeper import Logins, another_chance
from streaming.schwab.rest.bodies import ChainDocument
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

    async def expirations(self, symbol: str) -> Sequence[date]: ...

    async def chain(self, symbol: str, expiry: date, *, strikes: int = 0) -> ChainDocument: ...


class ChainPoller:
    """Asks for the chains of all underlyings and hands the bytes of each expiry to `load`.

    Each body says which expiries make up the whole: until all of them were loaded once there are no figures, for a sum
    over half of the expiries would look like the whole. An answer that cannot be true is counted and changes nothing; a
    list of expirations that lacks some is believed once the same has come three times over at least a minute. With
    `logins`, a login that is over is waited for.
    `expiries` and `strikes` (on either side of the money) limit what is asked for; 0 is no limit. `ex_dividend` says
    what is told of an underlying beside its chains.
    """

    def __init__(
        self,
        rest: ChainRest,
        tickers: Sequence[Ticker],
        *,
        load: Callable[[ChainDelivery], Awaitable[ChainReceipt]],
        requests_per_minute: int,
        days: int,
        clock: Clock,
        expiries: int = 0,
        strikes: int = 0,
        logins: Logins | None = None,
        ex_dividend: Callable[[str], date | None] | None = None,
    ) -> None:
        self._rest = rest
        self._names = {ticker.wire: ticker.underlying for ticker in tickers}
        self._hand_over = load
        self._days = days
        self._most_expiries = expiries
        self._strikes = strikes
        self._clock = clock
        self._logins = logins
        self._ex_dividend = ex_dividend
        self._plan = ChainPlan(requests_per_minute)
        self._planned = asyncio.Event()
        self._lists: Corroboration[frozenset[date]] = Corroboration(frozenset.__eq__)
        self._refused: dict[tuple[str, date | None], str] = {}
        self._remarks: dict[ChainRequest, str] = {}
        self.errors = 0
        self.refused = 0
        """Answers that were not believed, or were none."""
        self.odd_rows = 0
        """Rows of chains that could not be read."""
        self.last_error: str | None = None
        self.needs_login: str | None = None
        """Why nothing is asked for now; None while polling."""

    async def run(self) -> None:
        """Poll until cancelled; what a person must mend is waited out, or without `logins` ends it."""
        async with asyncio.TaskGroup() as group:
            for wire in self._names:
                group.create_task(self._keep_expirations(wire), name=f"expirations {wire}")
            for number in range(_WORKERS):
                group.create_task(self._work(), name=f"chains {number}")

    def poll_again(self) -> None:
        """Ask for everything again at once: the engines have lost what they had."""
        self._plan.forget_loaded()

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

    def refusals(self) -> Mapping[str, str]:
        """Per underlying, or expiry of one, why its last answer was not believed; what was known before stays."""
        return {self._title(wire, expiry): why for (wire, expiry), why in self._refused.items()}

    def remarks(self) -> Mapping[str, str]:
        """Per expiry what is odd about the chain in use."""
        return {self._title(request.symbol, request.expiry): text for request, text in self._remarks.items()}

    def _title(self, wire: str, expiry: date | None) -> str:
        return self._names[wire] if expiry is None else f"{self._names[wire]} {expiry}"

    async def _keep_expirations(self, wire: str) -> None:
        retry_s = _FIRST_RETRY_S
        while True:
            try:
                listed = self._believed(wire, await self._rest.expirations(wire))
            except (TransientError, ContractError, RequestError) as error:
                self._note(wire, None, error)
                wish_s = error.retry_after_s if isinstance(error, TransientError) else None
                wait_s, retry_s = max(retry_s, wish_s or 0.0), min(retry_s * 2.0, _LAST_RETRY_S)
            except OperatorError as error:
                await self._wait_for_login(error)
                continue
            else:
                self._plan_for(wire, listed)
                wait_s, retry_s = _EXPIRATIONS_EVERY_S, _FIRST_RETRY_S
            await self._clock.sleep(wait_s)

    def _believed(self, wire: str, listed: Sequence[date]) -> list[date]:
        """The dates of a list that lacks none that is planned and still to come; ContractError for another one."""
        now = self._clock.now()
        today = new_york(now).date()
        last = today + timedelta(days=self._days)
        dates = sorted({expiry for expiry in listed if today <= expiry <= last})
        planned = self._plan.planned(wire)
        lacking = frozenset(day for day in planned if day not in dates and not self._is_over(day))
        if (lacking or not dates) and not self._lists.confirms(wire, lacking, now):
            raise ContractError(
                f"The list lacks {len(lacking)} of {len(planned)} known expirations."
                if lacking
                else "The list holds no expirations."
            )
        self._lists.settle(wire)
        return dates

    def _is_over(self, expiry: date) -> bool:
        return settle_at(expiry, am=False) <= self._clock.now()

    def _plan_for(self, wire: str, dates: Sequence[date]) -> None:
        self._plan.update(wire, dates[: self._most_expiries or None])
        self._planned.set()
        self._refused.pop((wire, None), None)
        planned = {*self._plan.planned(wire), None}
        self._refused = {key: why for key, why in self._refused.items() if key[0] != wire or key[1] in planned}
        self._remarks = {
            request: text
            for request, text in self._remarks.items()
            if request.symbol != wire or request.expiry in planned
        }

    async def _work(self) -> None:
        await self._planned.wait()
        while True:
            request = self._plan.take(self._clock.monotonic())
            if request is None:
                await asyncio.sleep(_IDLE_S)
            else:
                await self._load(request)

    async def _load(self, request: ChainRequest) -> None:
        try:
            document = await self._rest.chain(request.symbol, request.expiry, strikes=self._strikes)
            await self._accept(request, document, self._clock.now())
        except TransientError as error:
            self._note(request.symbol, request.expiry, error)
            self._plan.failed(request, self._clock.monotonic(), retry_after_s=error.retry_after_s)
            if error.retry_after_s:
                self._plan.postpone(self._clock.monotonic(), error.retry_after_s)
        except (ContractError, RequestError) as error:
            self._fail(request, error)
        except OperatorError as error:
            self._plan.failed(request, self._clock.monotonic())
            await self._wait_for_login(error)

    def _fail(self, request: ChainRequest, error: ContractError | RequestError) -> None:
        """An answer of no use; of an expiry that is over none is expected."""
        if self._is_over(request.expiry):
            self._plan.forget(request)
            self._refused.pop((request.symbol, request.expiry), None)
            return
        self._note(request.symbol, request.expiry, error)
        self._plan.failed(request, self._clock.monotonic())

    async def _accept(self, request: ChainRequest, document: ChainDocument, asof: datetime) -> None:
        """Hand an answer to the engines; ContractError when it is no chain or cannot be true."""
        body = ChainDelivery(
            underlying=self._names[request.symbol],
            kind="schwab",
            payload=document.payload,
            source=self._rest.source,
            asof=asof,
            expiry=request.expiry,
            planned=self._plan.planned(request.symbol),
            required=self._plan.required(request.symbol),
            strikes=document.strikes,
            ex_dividend=None if self._ex_dividend is None else self._ex_dividend(request.symbol),
        )
        try:
            receipt = await self._hand_over(body)
        except TransientError as error:  # the engines are away, which is not the request's fault
            self._note(request.symbol, request.expiry, error)
            self._plan.put_back(request)
        else:
            self._plan.loaded(request, self._clock.monotonic())
            self._take_note(request, receipt)

    def _take_note(self, request: ChainRequest, receipt: ChainReceipt) -> None:
        self._refused.pop((request.symbol, request.expiry), None)
        self.odd_rows += receipt.odd_rows
        rows = f"{receipt.odd_rows} rows unreadable" if receipt.odd_rows else ""
        if remark := ", ".join(filter(None, (rows, receipt.remark))):
            self._remarks[request] = remark
        else:
            self._remarks.pop(request, None)

    async def _wait_for_login(self, error: OperatorError) -> None:
        if self._logins is None:
            raise error
        seen = self._logins.glance()
        self.needs_login = error.sentence
        try:
            await another_chance(self._logins, seen)
        finally:
            self.needs_login = None

    def _note(self, wire: str, expiry: date | None, error: GexcordError) -> None:
        """Count a failure; one that is refused for the same reason again is logged once."""
        subject = f"expirations of {wire}" if expiry is None else f"chain {wire} {expiry}"
        repeated = self._refused.get((wire, expiry)) == str(error)
        self.errors += 1
        self.last_error = f"{subject}: {error}"
        _LOG.log(logging.DEBUG if repeated else logging.WARNING, "%s failed: %s", subject, error)
        if isinstance(error, ContractError):
            self.refused += 1
            self._refused[wire, expiry] = str(error)
