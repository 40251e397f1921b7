"""Asks for one ticker after another at a set pace, and stores what comes; trouble slows it, never ends it."""

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.errors import ContractError, GexcordError, OperatorError, RequestError, TransientError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotSink, Tell
from streaming.process.backoff import Backoff
from streaming.process.trouble import Matters
from streaming.sources.download import SlowDownError
from streaming.sources.source_book import SourceBook
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_JITTER: Final = 0.05
_SAME_BEFORE_RESTING: Final = 3
_SLOWEST: Final = 16.0
_RECOVERY: Final = 0.9
_STANDBY_S: Final = 2.0
_LONGEST_WISH_S: Final = 3600.0
"""What of the other side's own wish is honoured."""
_BUS_FIRST_S: Final = 0.25
_BUS_LONGEST_S: Final = 2.0

Ask = Callable[[Ticker], Awaitable[GexSnapshot | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between questions."""

    every_s: float
    """About one ticker."""
    resting_s: float
    """At most, while the quotes stand still."""
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    person_s: float = 300.0
    """After a refusal that a person must deal with."""
    unknown_s: float = 3600.0
    """About a ticker that the other side does not know."""


class Claims(Protocol):
    """Which tickers this process asks for while inside, so that two processes do not ask for the same one."""

    async def __aenter__(self) -> object: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def ours(self, ticker: str) -> bool:
        """Take or keep the right to a ticker; TransientError while Redis is away."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What every polled source works with."""

    sink: SnapshotSink
    claims: Claims
    clock: Clock
    rng: random.Random
    tell: Tell
    """Told, once for each cause, what a person must act on."""


class _BusAwayError(TransientError):
    """Redis does not answer, which says nothing about the source."""


class Poller:
    """Polls `tickers` with `ask`, which answers with a snapshot, or None when there is nothing new.

    `ask` may raise TransientError (everybody waits, ever longer), SlowDownError (the pace slows too), RequestError
    (that ticker waits for an hour), OperatorError (everybody waits, a person is told once) and ContractError
    (counted; the next question comes at the usual pace).
    """

    def __init__(
        self, tickers: Sequence[Ticker], *, ask: Ask, book: SourceBook, pace: Pace, around: Surroundings
    ) -> None:
        self._tickers = {ticker.name: ticker for ticker in tickers}
        self._ask = ask
        self._book = book
        self._pace = pace
        self._sink, self._claims = around.sink, around.claims
        self._clock = clock = around.clock
        self._rng = around.rng
        self._matters = Matters(around.tell)
        self._backoff = Backoff(around.rng, first_s=pace.first_retry_s, cap_s=pace.longest_retry_s)
        self._bus_backoff = Backoff(around.rng, first_s=_BUS_FIRST_S, cap_s=_BUS_LONGEST_S)
        self._slowness = 1.0
        self._due_s = dict.fromkeys(self._tickers, clock.monotonic())
        self._same = dict.fromkeys(self._tickers, 0)
        self._quote_ms = dict.fromkeys(self._tickers, 0)
        self._unstored: dict[str, GexSnapshot] = {}

    async def run(self, progress: Callable[[], None]) -> None:
        """Poll until cancelled."""
        async with self._claims:
            while True:
                name = min(self._due_s, key=self._due_s.__getitem__)
                await self._clock.sleep(self._due_s[name] - self._clock.monotonic())
                await self._turn(name, progress)

    async def _turn(self, name: str, progress: Callable[[], None]) -> None:
        try:
            if await self._is_ours(name):
                await self._question(name)
                progress()
                self._wait(name, self._usual_s(name))
            else:
                self._book.stands_by()
                self._wait(name, min(self._usual_s(name), _STANDBY_S))
        except RequestError as error:
            self._unknown(name, error)
        except OperatorError as error:
            self._refused(error)
        except ContractError as error:
            self._reject(name, error)
        except _BusAwayError as error:
            self._note_failure(error)
            self._all_wait(self._bus_backoff.next_s())
        except TransientError as error:
            self._back_off(error)

    async def _is_ours(self, name: str) -> bool:
        try:
            return await self._claims.ours(name)
        except TransientError as error:
            raise _BusAwayError(str(error)) from error

    async def _question(self, name: str) -> None:
        """Ask, and store what came; what Redis could not take before goes first."""
        if name in self._unstored:
            await self._store(name)
        snapshot = await self._ask(self._tickers[name])
        self._answered(name)
        if snapshot is None:
            self._same[name] += 1
            return
        self._same[name] = 0 if snapshot.asof_ms > self._quote_ms[name] else self._same[name] + 1
        self._quote_ms[name] = snapshot.asof_ms
        self._unstored[name] = snapshot
        await self._store(name)

    def _answered(self, name: str) -> None:
        if self._book.status().state in {"failing", "needs_action"}:
            _LOG.info("%s answers again", self._book.name)
        self._book.answered(name)
        self._backoff.reset()
        self._slowness = max(self._slowness * _RECOVERY, 1.0)
        self._matters.over(self._book.name)
        self._matters.over(name)

    async def _store(self, name: str) -> None:
        snapshot = self._unstored[name]
        try:
            await self._sink.put(snapshot)
        except TransientError as error:
            raise _BusAwayError(str(error)) from error
        del self._unstored[name]
        self._bus_backoff.reset()
        self._book.stored(snapshot, self._clock.now())

    def _usual_s(self, name: str) -> float:
        """The pace, slower where the other side asked for it or where the quotes stand still."""
        every_s = self._pace.every_s * self._slowness
        if self._same[name] >= _SAME_BEFORE_RESTING:
            resting_s = every_s * 2.0 ** min(self._same[name] - _SAME_BEFORE_RESTING + 1, 10)
            every_s = max(every_s, min(resting_s, self._pace.resting_s))
        return every_s * self._rng.uniform(1.0, 1.0 + _JITTER)

    def _wait(self, name: str, seconds: float) -> None:
        self._due_s[name] = self._clock.monotonic() + seconds

    def _all_wait(self, seconds: float) -> None:
        """Nobody's turn before that; who waits longer keeps waiting."""
        until_s = self._clock.monotonic() + seconds
        self._due_s = {name: max(due_s, until_s) for name, due_s in self._due_s.items()}

    def _unknown(self, name: str, error: RequestError) -> None:
        self._book.refused(error, name)
        self._tell(name, error)
        self._wait(name, self._pace.unknown_s)

    def _refused(self, error: OperatorError) -> None:
        self._book.refused(error)
        self._tell(self._book.name, error)
        self._all_wait(self._pace.person_s)

    def _reject(self, name: str, error: ContractError) -> None:
        self._book.rejected(error)
        self._same[name] += 1  # a server that has nothing to say all night is asked less often too
        if self._book.status().rejected.bit_count() == 1:  # the 1st, 2nd, 4th ...: it cannot fill the log
            _LOG.warning("%s, %s: %s", self._book.name, name, error.sentence)
        self._wait(name, self._usual_s(name))

    def _back_off(self, error: TransientError) -> None:
        if isinstance(error, SlowDownError):
            self._slowness = min(self._slowness * 2.0, _SLOWEST)
        self._note_failure(error)
        self._all_wait(max(self._backoff.next_s(), min(error.retry_after_s or 0.0, _LONGEST_WISH_S)))

    def _note_failure(self, error: TransientError) -> None:
        level = logging.DEBUG if self._book.status().state == "failing" else logging.WARNING
        _LOG.log(level, "%s: %s", self._book.name, error.sentence)
        self._book.failed(error)

    def _tell(self, about: str, error: GexcordError) -> None:
        _LOG.warning("%s: %s", self._book.name, error.sentence)
        self._matters.tell(about, error.sentence)
