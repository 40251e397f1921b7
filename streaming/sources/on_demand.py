"""A ticker that nobody follows: its source is asked once, and the answer serves whoever asks within a minute."""

import asyncio
import logging
from collections import deque
from datetime import date
from typing import Any, Final, Protocol, Self

from msgspec.structs import replace
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import decode_snapshot, encode_snapshot
from streaming.bus.redis_connection import answering
from streaming.bus.snapshots.classic import has_figures
from streaming.calendar import settle_at
from streaming.clock import Clock, epoch_ms
from streaming.engine.engine_host import EngineError, EngineHost
from streaming.engine.kept_chains import ChainDelivery
from streaming.errors import ContractError, GexcordError, RequestError, TransientError
from streaming.model import GexSnapshot, OnDemandMark
from streaming.settings import StreamSettings
from streaming.sources import cboe_source
from streaming.sources.chain_polling import ChainRest
from streaming.sources.ex_dividends import DividendRest, next_after
from streaming.symbols import Ticker, is_index

_LOG: Final = logging.getLogger(__name__)
NEAREST: Final = 4
"""Expiries that Schwab is asked for, one request each: with their list and the ex-dividend date, half of what polling
leaves of the budget."""
KEPT_S: Final = 60
_MINUTE_S: Final = 60.0
_WITHIN_S: Final = 30.0
_UNKNOWN_S: Final = 600.0
_MOST_UNKNOWN: Final = 256


class OneAnswer(Protocol):
    """A source that can be asked once for a ticker."""

    async def ask(self, ticker: Ticker) -> GexSnapshot:
        """A snapshot with its mark; any GexcordError when there is none."""
        ...


class OnDemand:
    """Asks for tickers that nobody follows, within this context: one after another, at most `per_minute` of them.

    Askers of one ticker share a request. The answer is kept in Redis for a minute under a key that no board, alert or
    history reads; a ticker that the source does not know is not asked for again for ten minutes.
    """

    def __init__(self, source: OneAnswer, redis: Redis, clock: Clock, *, per_minute: int) -> None:
        self._source = source
        self._redis = redis
        self._clock = clock
        self._per_minute = per_minute
        self._spent: deque[float] = deque()
        self._unknown: dict[str, tuple[float, RequestError]] = {}
        self._asking: dict[str, asyncio.Task[GexSnapshot]] = {}
        self._turn = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        asking = set(self._asking.values())
        for task in asking:
            task.cancel()
        if asking:
            await asyncio.wait(asking)

    async def kept(self, ticker: Ticker) -> GexSnapshot | None:
        """What was asked for within the last minute; TransientError while Redis is away."""
        async with answering(f"reading what was asked of {ticker.name}"):
            payload: Any = await self._redis.get(keys.asked(ticker.name))
        try:
            return None if payload is None else decode_snapshot(payload)
        except ContractError:  # of another version of ours: it is asked for again
            return None

    async def snapshot(self, ticker: Ticker) -> GexSnapshot:
        """What is kept, else the answer of the source.

        Raises RequestError for a ticker without options there, TransientError when this minute's requests are spent or
        no answer came in time, and what else the source raises.
        """
        if (kept := await self.kept(ticker)) is not None:
            return kept
        task = self._asking.get(ticker.name) or self._begin(ticker)
        return await asyncio.shield(task)

    def _begin(self, ticker: Ticker) -> asyncio.Task[GexSnapshot]:
        self._require_known(ticker)
        self._spend()
        task = asyncio.create_task(self._ask(ticker), name=f"on demand {ticker.name}")
        self._asking[ticker.name] = task
        task.add_done_callback(lambda done: self._over(ticker, done))
        return task

    def _over(self, ticker: Ticker, task: asyncio.Task[GexSnapshot]) -> None:
        """Nobody may be left to hear of it, so the log does."""
        self._asking.pop(ticker.name, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, RequestError):
            self._unknown[ticker.name] = self._clock.monotonic(), error
            if len(self._unknown) > _MOST_UNKNOWN:
                del self._unknown[next(iter(self._unknown))]
        if error is not None:
            _LOG.info("%s was asked for on demand, without an answer: %s", ticker.name, error)

    def _require_known(self, ticker: Ticker) -> None:
        found = self._unknown.pop(ticker.name, None)
        if found is not None and self._clock.monotonic() - found[0] < _UNKNOWN_S:
            self._unknown[ticker.name] = found
            raise RequestError(str(found[1]))

    def _spend(self) -> None:
        now_s = self._clock.monotonic()
        while self._spent and self._spent[0] <= now_s - _MINUTE_S:
            self._spent.popleft()
        if len(self._spent) >= self._per_minute:
            wait_s = max(self._spent[0] + _MINUTE_S - now_s, 1.0)
            raise TransientError(
                "Too many tickers that nobody follows were asked for within a minute.",
                remedy=f"Try again in {wait_s:.0f} s.",
                retry_after_s=wait_s,
            )
        self._spent.append(now_s)

    async def _ask(self, ticker: Ticker) -> GexSnapshot:
        async with self._turn:
            try:
                async with asyncio.timeout(_WITHIN_S):
                    snapshot = await self._source.ask(ticker)
            except TimeoutError:
                raise TransientError(
                    f"No answer about {ticker.name} came within {_WITHIN_S:.0f} s.", remedy="Try again in a moment."
                ) from None
        try:
            async with answering(f"keeping what was asked of {ticker.name}"):
                await self._redis.set(keys.asked(ticker.name), encode_snapshot(snapshot), ex=KEPT_S)
        except TransientError as error:
            _LOG.debug("%s Whoever asks next asks the source.", error)
        return snapshot


class CboeOnce:
    """One of CBOE's files, with every listed expiry."""

    def __init__(self, settings: StreamSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock

    async def ask(self, ticker: Ticker) -> GexSnapshot:
        """As `OneAnswer`."""
        found = (await cboe_source.try_tickers(self._settings, [ticker], self._clock))[ticker.name]
        if isinstance(found, GexcordError):
            raise found
        return replace(found, on_demand=OnDemandMark(asked_ms=epoch_ms(self._clock.now())))


class OnceRest(ChainRest, DividendRest, Protocol):
    """What is asked of Schwab."""


class SchwabOnce:
    """Schwab's list of expirations and the chains of the nearest `NEAREST`, computed in a process that then ends."""

    def __init__(self, rest: OnceRest, settings: StreamSettings, clock: Clock) -> None:
        self._rest = rest
        self._settings = settings
        self._clock = clock

    async def ask(self, ticker: Ticker) -> GexSnapshot:
        """As `OneAnswer`."""
        async with EngineHost(
            [ticker], scope=self._settings.gex_scope, volatility=self._settings.gex_volatility
        ) as engine:
            listed = await self._listed(ticker)
            planned = listed[:NEAREST]
            snapshot = await self._computed(engine, ticker, planned)
        mark = OnDemandMark(
            asked_ms=epoch_ms(self._clock.now()), expiries=len(planned) if len(listed) > len(planned) else None
        )
        return replace(snapshot, on_demand=mark)

    async def _listed(self, ticker: Ticker) -> tuple[date, ...]:
        """The expirations still to come, nearest first."""
        now = self._clock.now()
        found = sorted(set(await self._rest.expirations(ticker.wire)))
        if not (listed := tuple(day for day in found if settle_at(day, am=False) > now)):
            raise RequestError(f"Schwab lists no options of {ticker.name}.")
        return listed

    async def _computed(self, engine: EngineHost, ticker: Ticker, planned: tuple[date, ...]) -> GexSnapshot:
        try:
            ex_dividend = await self._ex_dividend(ticker)
            for expiry in planned:
                await engine.load(replace(await self._chain(ticker, expiry, planned), ex_dividend=ex_dividend))
            snapshot = await engine.compute(ticker.name, self._clock.now())
        except EngineError as error:
            raise ContractError(f"Schwab's chain of {ticker.name} could not be computed ({error.kind}).") from error
        if snapshot is None or not has_figures(snapshot):
            raise ContractError(f"Schwab's chain of {ticker.name} has no figures except spot.")
        return snapshot

    async def _ex_dividend(self, ticker: Ticker) -> date | None:
        """Without an answer the forward tells."""
        if is_index(ticker.wire):
            return None
        try:
            known = await self._rest.ex_dividends([ticker.wire])
        except (TransientError, ContractError, RequestError) as error:
            _LOG.info("the ex-dividend date of %s was not read: %s", ticker.name, error)
            return None
        return next_after(known.get(ticker.wire, ()), self._clock.now())

    async def _chain(self, ticker: Ticker, expiry: date, planned: tuple[date, ...]) -> ChainDelivery:
        document = await self._rest.chain(ticker.wire, expiry, strikes=self._settings.gex_chain_strikes)
        return ChainDelivery(
            underlying=ticker.underlying,
            kind="schwab",
            payload=document.payload,
            source=self._rest.source,
            asof=self._clock.now(),
            expiry=expiry,
            planned=planned,
            required=planned,
            strikes=document.strikes,
        )
