"""The job that owns the stream: Schwab's socket and chains in, ticks, books, candles and snapshots out."""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from streaming.bus import keys
from streaming.bus.last_tick import last_tick_at
from streaming.bus.lease import Lease, process_name
from streaming.bus.metrics_store import MetricValue, hash_fields, keep_current
from streaming.bus.shared_minute import SharedMinute
from streaming.engine.loop import SnapshotCounters, follow_near_options
from streaming.errors import ConfigurationError, TransientError
from streaming.ports import Tell
from streaming.process.backoff import InterruptibleWait
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.stream_status import StreamClientStatus
from streaming.schwab.wire.fields import Service
from streaming.status import Loading, StreamStatus, some_of
from streaming.streamer.beside import BesideParts, wire_beside
from streaming.streamer.parts import StreamParts, wire_parts
from streaming.streamer.runtime import Runtime
from streaming.streamer.streamed_symbols import StoredChanges, SymbolChanges, needed_by, subscriptions_for, useful_to
from streaming.symbols import Ticker
from streaming.telemetry.stream_metrics import METRICS, StreamFacts, log_line

_LOG: Final = logging.getLogger(__name__)
_LOG_EVERY_S: Final = 60.0
_SYMBOLS_EVERY_S: Final = 2.0


class Streamer:
    """Streams and computes while it runs; `run` may be called again after it ended, never twice at once.

    Streams SCHWAB_SYMBOLS with the operators' changes, or exactly `symbols` when given, from all services or
    only `services`. `tell` is given, once for each cause, what a person should know.
    """

    def __init__(
        self,
        runtime: Runtime,
        tickers: Sequence[Ticker],
        *,
        rng: random.Random,
        tell: Tell | None = None,
        symbols: Sequence[str] | None = None,
        services: frozenset[Service] | None = None,
        timing: StreamTiming | None = None,
    ) -> None:
        self._runtime = runtime
        self._tickers = runtime.settings.tickers_from("schwab", tickers)
        self._rng = rng
        self._tell = tell or _LOG.error
        self._own_symbols = None if symbols is None else tuple(symbols)
        self._services = services
        self._timing = timing
        self._owner = process_name()
        self._stored = StoredChanges(runtime.redis)
        self._changes = SymbolChanges()
        self._parts: StreamParts | None = None
        self._more: tuple[Ticker, ...] = ()
        self._beside: BesideParts | None = None
        self._until_more_changes = InterruptibleWait()
        self._budget: RequestBudget | None = None
        self._standing_by = False
        self.counters = SnapshotCounters()

    async def run(self, progress: Callable[[], None]) -> None:
        """Wait for the lease, then stream until cancelled. Raises ConfigurationError without app key and secret."""
        auth = self._runtime.auth
        if auth is None:
            raise self._no_app()
        lease = Lease(self._runtime.redis, keys.STREAM_LEASE, self._owner)
        try:
            self._standing_by = not await lease.acquire()
            async with lease.held(wait=True):
                self._standing_by = False
                with self._runtime.publisher.under(lease):
                    await self._stream(auth, lease, progress)
        finally:
            self._standing_by = False
            self._parts = None

    def _no_app(self) -> ConfigurationError:
        if not self._tickers:
            remedy = (
                "No ticker comes from Schwab (GEX_SOURCE, GEX_SOURCE_MAP); to stream ticks too, set them and restart."
            )
        else:
            remedy = "Set them in .env and restart, or set GEX_SOURCE to another source, such as cboe or redis."
        return ConfigurationError("SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy=remedy)

    def serve_beside(self, tickers: Sequence[Ticker]) -> None:
        """Compute these too whenever this streams; a change of them disturbs nothing else."""
        more = tuple(ticker for ticker in tickers if ticker not in self._tickers)
        if more != self._more:
            self._more = more
            self._until_more_changes.nudge()

    def retry_now(self) -> None:
        """End whatever wait the stream is in; takes it back from another program."""
        if self._parts is not None:
            self._parts.client.retry_now()

    @property
    def configured_symbols(self) -> tuple[str, ...]:
        """The symbols of the setting."""
        return self._runtime.settings.schwab_symbols

    @property
    def needed_symbols(self) -> tuple[str, ...]:
        """What the tickers cannot do without."""
        return needed_by((*self._tickers, *self._more))

    @property
    def chain_errors(self) -> int:
        """Requests for chains that failed or brought none, since streaming began."""
        return 0 if self._parts is None else self._parts.poller.errors

    @property
    def useful_symbols(self) -> tuple[str, ...]:
        """What lets the tickers' levels be shown in other points; operators may remove it."""
        return useful_to((*self._tickers, *self._more))

    async def load_changes(self) -> SymbolChanges:
        """The operators' changes as stored; TransientError while Redis is away."""
        return await self._stored.load()

    async def store_changes(self, changes: SymbolChanges) -> None:
        """Keep changes for every process and restart, and act on them now; TransientError while Redis is away."""
        await self._stored.store(changes)
        await self._apply(changes)

    async def ask_again(self, symbols: Sequence[str]) -> None:
        """Ask Schwab at once for symbols that it refused."""
        if self._parts is not None:
            await self._parts.client.ask_again(symbols)

    def loading(self, ticker: Ticker) -> Loading | None:
        """How far the first load of its chains is; None where none is planned here, and once all are there."""
        if self._parts is None or ticker not in (*self._tickers, *self._more):
            return None
        ages = self._expiry_ages_s(ticker).get(ticker.underlying, {}).values()
        loaded = sum(age_s is not None for age_s in ages)
        return None if loaded == len(ages) else Loading(loaded, len(ages))

    def status(self) -> StreamStatus:
        """One look at everything, without waiting for anything."""
        return self._status(self._client_status())

    def _client_status(self) -> StreamClientStatus | None:
        return None if self._parts is None else self._parts.client.status

    def _status(self, client: StreamClientStatus | None) -> StreamStatus:
        stats, budget, auth = self._runtime.publisher.stats, self._budget, self._runtime.auth
        streaming = self._stream_status(client)
        return replace(
            streaming,
            buffered=stats.buffered,
            published=stats.published,
            dropped=stats.dropped,
            last_error=self.counters.last_error or streaming.last_error,
            lease_holder=None if self._parts is None else self._owner,
            login_configured=auth is not None,
            login_ends_at=None if auth is None else auth.status().login_ends_at,
            requests_used=0 if budget is None else budget.used,
            requests_per_minute=0 if budget is None else budget.per_minute,
        )

    def _stream_status(self, client: StreamClientStatus | None) -> StreamStatus:
        if self._parts is None or client is None:
            return StreamStatus(state="standby" if self._standing_by else "stopped")
        status = self._parts.status(client)
        if self._beside is None:
            return status
        return replace(
            status,
            chain_age_s={**self._beside.poller.nearest_age_s(), **status.chain_age_s},
            expiry_age_s={**self._beside.poller.expiry_age_s(), **status.expiry_age_s},
        )

    def _expiry_ages_s(self, ticker: Ticker) -> Mapping[str, Mapping[str, float | None]]:
        """Of whoever asks for its chains; empty where nobody does."""
        if ticker in self._more:
            return {} if self._beside is None else self._beside.poller.expiry_age_s()
        return {} if self._parts is None else self._parts.poller.expiry_age_s()

    def facts(self) -> StreamFacts:
        """Everything that telemetry tells; the client is asked once, for it looks at every symbol."""
        client = self._client_status()
        return StreamFacts(
            at=self._runtime.clock.now(),
            status=self._status(client),
            client=client,
            publisher=self._runtime.publisher.stats,
            snapshots=self.counters,
        )

    def _metrics(self) -> Mapping[str, MetricValue]:
        return hash_fields(METRICS, self.facts())

    async def _stream(self, auth: SchwabAuthClient, lease: Lease, progress: Callable[[], None]) -> None:
        settings, clock = self._runtime.settings, self._runtime.clock
        await self._read_changes()
        self._budget = budget = RequestBudget(
            settings.gex_chain_requests_per_minute, clock, shared=SharedMinute(self._runtime.redis)
        )
        self._parts = parts = wire_parts(
            self._runtime,
            auth,
            self._tickers,
            subscriptions_for(settings, self._symbols(), self._services),
            budget=budget,
            assure=lease.assure,
            counters=self.counters,
            rng=self._rng,
            timing=self._timing,
            tell=self._tell,
            progress=progress,
            flowed_at=await last_tick_at(self._runtime.redis, clock),
        )
        async with parts.engines, asyncio.TaskGroup() as group:
            group.create_task(parts.client.run(), name="schwab stream")
            group.create_task(parts.poller.run(), name="schwab chains")
            group.create_task(parts.dividends.run(), name="ex-dividend dates")
            group.create_task(parts.keeper.run(), name="schwab login")
            group.create_task(parts.snapshots.run(), name="gex")
            group.create_task(parts.maps.run(), name="maps")
            near = follow_near_options(parts.engines, parts.client, limit=settings.gex_live_options, clock=clock)
            group.create_task(near, name="live options")
            group.create_task(self._follow_changes(), name="symbols")
            group.create_task(self._keep_beside(parts, lease), name="tickers beside")
            told = keep_current(self._runtime.redis, keys.STREAM_METRICS, self._metrics, clock)
            group.create_task(told, name="stream metrics")
            group.create_task(self._log_facts(), name="stream log")

    async def _keep_beside(self, parts: StreamParts, lease: Lease) -> None:
        """Compute what is asked for beside the own tickers; a change ends what ran for it and begins anew."""
        while True:
            await self._until_more_changes.wait(self._compute_beside(parts, lease), "tickers beside")

    async def _compute_beside(self, parts: StreamParts, lease: Lease) -> None:
        if self._own_symbols is None:
            await parts.client.set_symbols(self._symbols())
        parts.client.quote_symbols(bool(self._tickers or self._more))
        if not self._more:
            await asyncio.Event().wait()
        self._beside = wire_beside(self._runtime, parts, self._more, assure=lease.assure, counters=self.counters)
        try:
            await self._beside.run(parts.listeners)
        finally:
            self._beside = None

    def _symbols(self) -> tuple[str, ...]:
        """What is published: what the tickers need to be priced, which is wanted most, and the wanted symbols."""
        wanted = self._own_symbols
        if wanted is None:
            wanted = self._changes.applied_to((*self.configured_symbols, *self.useful_symbols))
        return tuple(dict.fromkeys([*self.needed_symbols, *wanted]))

    async def _read_changes(self) -> None:
        with suppress(TransientError):  # they are read again every two seconds
            self._changes = await self._stored.load()

    async def _follow_changes(self) -> None:
        """Notice what operators change through another process."""
        while self._own_symbols is None:
            await self._runtime.clock.sleep(_SYMBOLS_EVERY_S)
            try:
                await self._apply(await self._stored.load())
            except TransientError as error:
                _LOG.debug("the symbols to stream were not read: %s", error)

    async def _apply(self, changes: SymbolChanges) -> None:
        if changes != self._changes:
            self._changes = changes
            if self._parts is not None and self._own_symbols is None:
                _LOG.info("streaming %s from now on", some_of(self._symbols()) or "nothing")
                await self._parts.client.set_symbols(self._symbols())

    async def _log_facts(self) -> None:
        while True:
            await self._runtime.clock.sleep(_LOG_EVERY_S)
            _LOG.info("%s", log_line(self.facts()))
