"""Engines in a worker process: the event loop hands over bytes and prices, and gets finished snapshots.

Parsing a chain, sweeping for zeros and computing would hold the loop for 3 to 40 ms each. A worker that ends is
started again after a moment and gets the chains back that the one before had taken; where that is not possible they
are asked for again (`on_restart`).
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, Self, TypeVar

from streaming.day_map import DayMap
from streaming.engine.inbox import EngineInbox
from streaming.engine.kept_chains import ChainDelivery, ChainRecord, KeptChains
from streaming.engine.process import COMMAND, EngineProcess, SpareEngine
from streaming.engine.protocol import (
    Ahead,
    AheadPiece,
    Answer,
    ChainReceipt,
    Compute,
    Computed,
    Doubtful,
    Near,
    NearSymbols,
    Order,
    OrderRefused,
    Ready,
    Rehearse,
    Setup,
)
from streaming.errors import ContractError, TransientError
from streaming.model import GexSnapshot, ScopeName, VolatilityRule
from streaming.ports import StreamEvent
from streaming.process.child_process import BROKEN
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_FIRST_PAUSE_S: Final = 0.1
_LAST_PAUSE_S: Final = 5.0
_SETTLED_S: Final = 30.0
_START_WITHIN_S: Final = 60.0
_FLUSH_EVERY_S: Final = 0.05
_MOST_UNREAD: Final = 256 * 1024
_PATIENCE_S: Final = 0.25
A = TypeVar("A", bound=Answer)


class EngineError(Exception):
    """An order broke inside the worker, whose log has the traceback; `kind` is the type of its error."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind


class OrderGate:
    """Who may hand an order to the process: what is asked goes at once, chains one by one when nothing is asked.

    An order of milliseconds would wait behind as many chains as are queued. A chain waits a quarter of a second at
    most, for it grows old too.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._answered = asyncio.Event()
        self._loading = asyncio.Lock()

    @asynccontextmanager
    async def to_ask(self) -> AsyncIterator[None]:
        """For an order that somebody waits for."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    def expect(self, within_s: float) -> None:
        """As if somebody asked for so long: whoever will then finds nobody before him."""
        self._begin()
        asyncio.get_running_loop().call_later(within_s, self._end)

    @asynccontextmanager
    async def to_load(self) -> AsyncIterator[None]:
        """For a chain."""
        async with self._loading:
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    while self._asked:
                        await self._answered.wait()
            yield

    def _begin(self) -> None:
        self._asked += 1
        self._answered.clear()

    def _end(self) -> None:
        self._asked -= 1
        if not self._asked:
            self._answered.set()


class EngineHost:
    """The engines of some tickers in a process of their own, from entering this context to leaving it.

    Orders wait for a process that is being started. They raise TransientError when it ends or does not answer.
    """

    def __init__(
        self,
        tickers: Sequence[Ticker],
        *,
        scope: ScopeName,
        volatility: VolatilityRule = "quotes",
        on_restart: Callable[[], None] | None = None,
        answer_within_s: float = 20.0,
        command: tuple[str, ...] = COMMAND,
        kept: KeptChains | None = None,
        spare: SpareEngine | None = None,
    ) -> None:
        """`spare` is the first process, where it is still there; later ones are started by `command`."""
        self._setup = Setup(tuple(tickers), scope, volatility)
        self._on_restart = on_restart
        self._answer_within_s = answer_within_s
        self._command = command
        self._spare = spare or SpareEngine()
        self._chains = KeptChains() if kept is None else kept
        self._record = ChainRecord()
        self._turns = OrderGate()
        self._process: EngineProcess | None = None
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closing = False
        self._flush_timer: asyncio.TimerHandle | None = None
        self.inbox = EngineInbox(tickers)
        self.restarts = 0
        self.start_ms: float | None = None
        """How long the process took to be ready, imports included."""

    async def __aenter__(self) -> Self:
        if self.tickers:
            self._keeper = asyncio.create_task(self._keep(), name="engine process")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper

    @property
    def tickers(self) -> tuple[Ticker, ...]:
        """Whose engines these are."""
        return self._setup.tickers

    @property
    def pid(self) -> int | None:
        """The worker's process id while one is running."""
        return None if self._process is None else self._process.pid

    async def load(self, body: ChainDelivery) -> ChainReceipt:
        """Have a chain parsed, judged and taken.

        ContractError when the bytes are no chain or cannot be true; also when they hold much less than was known, until
        the same has come often and long enough. What was taken before stays then.
        """
        try:
            answer = await self._carried_out(self._record.order(body), body.payload)
            if isinstance(answer, Doubtful):
                self._record.hear(body, answer)
                answer = await self._carried_out(body.order, body.payload)
        except EngineError as error:
            raise ContractError(f"The {body.underlying} chain could not be taken ({error.kind}).") from error
        receipt = _of_kind(ChainReceipt, answer)
        self._taken(body, receipt)
        if body.expiry is not None:
            self._chains.swap(body, await asyncio.to_thread(body.packed))
        return receipt

    def _taken(self, body: ChainDelivery, receipt: ChainReceipt) -> None:
        self._record.believe(body, receipt)
        self._chains.keep(body, leans=receipt.kept_interest)
        self.inbox.loaded(body.underlying, receipt)

    def take(self, events: Sequence[StreamEvent]) -> None:
        """Pass on what the engines need; never blocks, and keeps the newest of each symbol while they are busy."""
        self.inbox.take(events)
        self._flush_soon()

    async def news(self, name: str) -> None:
        """Wait until something changed for a ticker since its last `compute`."""
        await self.inbox.news[name].wait()

    async def compute(self, name: str, now: datetime) -> GexSnapshot | None:
        """The snapshot of a ticker from all that was taken; None before its first whole chain.

        EngineError when it cannot be computed.
        """
        self.inbox.news[name].clear()
        return (await self._ask(Computed, Compute(name, now))).snapshot

    def expect(self, within_s: float) -> None:
        """Tell that `compute` comes within a time: no chain is begun until then."""
        self._turns.expect(within_s)

    def rehearse(self, name: str, now: datetime) -> None:
        """Tell that `compute` of a ticker is near; nobody waits for it, and a process that has work is spared."""
        if self._ready.is_set() and self._process is not None and self._process.is_idle:
            self._flush(self._process)
            self._process.order(Rehearse(name, now))

    async def map_ahead(self, name: str, *, newer_than_ms: int) -> DayMap | None:
        """The rest of a ticker's session as of its last snapshot; None where that is no newer.

        Made in pieces, between which other orders are carried out. EngineError when it cannot be computed.
        """
        piece = AheadPiece(done=False)
        while not piece.done:
            piece = await self._ask(AheadPiece, Ahead(name, newer_than_ms))
        return piece.day_map

    async def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings, each once."""
        if not self.tickers:
            return ()
        return (await self._ask(NearSymbols, Near(per_underlying))).symbols

    async def _ask(self, kind: type[A], order: Order) -> A:
        return _of_kind(kind, await self._carried_out(order))

    async def _carried_out(self, order: Order, payload: bytes | None = None) -> Answer:
        process = None
        try:
            async with asyncio.timeout(self._answer_within_s):
                await self._ready.wait()
                async with self._turns.to_ask() if payload is None else self._turns.to_load():
                    process = self._process
                    self._flush(process)
                    answer = await self._answer(process, order, payload)
        except TimeoutError:
            if process is not None:
                process.kill()
            raise TransientError("The engine process does not answer.") from None
        if isinstance(answer, OrderRefused):
            if answer.kind == ContractError.__name__:
                raise ContractError(answer.reason, remedy=answer.remedy)
            raise EngineError(answer.kind, answer.reason)
        return answer

    async def _answer(self, process: EngineProcess | None, order: Order, payload: bytes | None) -> Answer:
        if process is None:
            raise TransientError("The engine process ended.")
        return await process.ask(order, payload)

    def _flush_soon(self) -> None:
        if self._flush_timer is None and self.inbox.waiting and not self._closing:
            self._flush_timer = asyncio.get_running_loop().call_later(_FLUSH_EVERY_S, self._flush_due)

    def _flush_due(self) -> None:
        """Hand over what waits, unless the worker has yet to read the last of it."""
        self._flush_timer = None
        if self._ready.is_set() and self._process is not None and self._process.unread <= _MOST_UNREAD:
            self._flush(self._process)
        self._flush_soon()

    def _flush(self, process: EngineProcess | None) -> None:
        taken = None if process is None else self.inbox.empty()
        if process is not None and taken is not None:
            process.order(taken)

    async def _keep(self) -> None:
        """Have a process run until this context ends."""
        pause_s = _FIRST_PAUSE_S
        while True:
            began_s = time.monotonic()
            try:
                await self._run_once(began_s)
            except BROKEN as error:
                _LOG.warning("The engine process failed (%s).", type(error).__name__)
            self.restarts += 1
            lived_s = time.monotonic() - began_s
            pause_s = _FIRST_PAUSE_S if lived_s > _SETTLED_S else pause_s
            _LOG.warning("The engine process ended after %.1f s; starting another in %.1f s.", lived_s, pause_s)
            if not self._chains.outlive(settled=lived_s > _SETTLED_S) and self._on_restart is not None:
                self._on_restart()
            await asyncio.sleep(pause_s)
            pause_s = min(2.0 * pause_s, _LAST_PAUSE_S)

    async def _run_once(self, began_s: float) -> None:
        """Start a process and serve it until it ends."""
        self._process = process = await self._spare.take() or await EngineProcess.start(self._command)
        try:
            reading = asyncio.create_task(process.read_answers(), name="engine answers")
            preparing = asyncio.create_task(self._prepare(process, began_s), name="engine preparation")
            either: set[asyncio.Task[None]] = {reading, preparing}
            try:
                await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
                if preparing.done():
                    preparing.result()
                await reading
            finally:
                for task in either:
                    task.cancel()
                await asyncio.wait(either)
        finally:
            self._ready.clear()
            self._process = None
            await process.end()

    async def _prepare(self, process: EngineProcess, began_s: float) -> None:
        """Have it set up and give it what the one before knew; TimeoutError when that takes too long."""
        async with asyncio.timeout(_START_WITHIN_S):
            if not isinstance(await process.ask(self._setup), Ready):
                raise ValueError("the engines cannot be set up")  # noqa: TRY004  # as for all nonsense
            self.start_ms = (time.monotonic() - began_s) * 1000.0
            await self._give_back(process, self._chains.take())
            self.inbox.repeat_spots()
            self._ready.set()

    async def _give_back(self, process: EngineProcess, chains: Sequence[ChainDelivery]) -> None:
        """Have the chains taken that the process before had taken."""
        for body in chains:
            answer = await process.ask(body.order, body.body)
            if not isinstance(answer, ChainReceipt):
                raise ValueError("a chain was taken once and is refused now")  # noqa: TRY004  # as for all nonsense
            self._taken(body, answer)
        if chains:
            self._chains.back()
            _LOG.info("The engines have %d chains back.", len(chains))


def _of_kind(kind: type[A], answer: Answer) -> A:
    if not isinstance(answer, kind):
        raise TransientError("The engine process gave the answer to another order.")
    return answer
