"""The job that owns the stream: Schwab's socket and chains in, ticks, books, candles and snapshots out."""

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.metrics import MetricValue, write_metrics
from streaming.bus.shared_minute import SharedMinute
from streaming.bus.symbol_wishes import SymbolWishes
from streaming.engine_host import EngineHost
from streaming.errors import ConfigurationError, TransientError
from streaming.login_keeper import LoginKeeper
from streaming.model import OptionQuote
from streaming.option_following import follow_near_options
from streaming.ports import MarketEvent, StreamEvent
from streaming.runtime import Runtime
from streaming.schwab.auth_client import SchwabAuthClient
from streaming.schwab.fields import Service
from streaming.schwab.rest import RequestBudget, SchwabRestClient
from streaming.schwab.stored_logins import StoredLogins
from streaming.schwab.stream_client import SchwabStreamClient, StreamTiming, Subscriptions
from streaming.snapshot_loop import SnapshotCounters, SnapshotLoop
from streaming.sources.schwab import ChainPoller
from streaming.status import StreamStatus
from streaming.stream_report import StreamFacts, log_line, metrics_mapping
from streaming.symbols import Ticker
from streaming.wanted_symbols import SymbolChanges, needed_by, useful_to

_LOG: Final = logging.getLogger(__name__)
_METRICS_EVERY_S: Final = 1.0
_LOG_EVERY_S: Final = 60.0
_SYMBOLS_EVERY_S: Final = 2.0


class Streamer:
    """Streams and computes while it runs; `run` may be called again after it ended, never twice at once.

    Streams SCHWAB_SYMBOLS with the operators' changes, or exactly `symbols` when given, from all services or
    only `services`. `alarm` is told, once for each cause, what a person should know.
    """

    def __init__(
        self,
        runtime: Runtime,
        tickers: Sequence[Ticker],
        *,
        rng: random.Random,
        alarm: Callable[[str], None] | None = None,
        symbols: Sequence[str] | None = None,
        services: frozenset[Service] | None = None,
        timing: StreamTiming | None = None,
    ) -> None:
        self._runtime = runtime
        self._tickers = runtime.settings.tickers_from("schwab", tickers)
        self._rng = rng
        self._tell = alarm or _log_alarm
        self._own_symbols = None if symbols is None else tuple(symbols)
        self._services = services
        self._timing = timing
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._wishes = SymbolWishes(runtime.redis)
        self._changes = SymbolChanges()
        self._client: SchwabStreamClient | None = None
        self._engines: EngineHost | None = None
        self._poller: ChainPoller | None = None
        self._keeper: LoginKeeper | None = None
        self._budget: RequestBudget | None = None
        self._started_at: datetime | None = None
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
                await self._stream(auth, progress)
        finally:
            self._standing_by = False
            self._client = self._engines = self._poller = self._keeper = self._started_at = None

    def _no_app(self) -> ConfigurationError:
        if not self._tickers:
            remedy = (
                "No ticker comes from Schwab (GEX_SOURCE, GEX_SOURCE_MAP); to stream ticks too, set them and restart."
            )
        else:
            remedy = "Set them in .env and restart, or set GEX_SOURCE to another source, such as cboe or redis."
        return ConfigurationError("SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.", remedy=remedy)

    def retry_now(self) -> None:
        """End whatever wait the stream is in; takes it back from another program."""
        if self._client is not None:
            self._client.retry_now()

    @property
    def configured_symbols(self) -> tuple[str, ...]:
        """The symbols of the setting."""
        return self._runtime.settings.schwab_symbols

    @property
    def needed_symbols(self) -> tuple[str, ...]:
        """What the tickers cannot do without."""
        return needed_by(self._tickers)

    @property
    def chain_errors(self) -> int:
        """Requests for chains that failed or brought none, since streaming began."""
        return 0 if self._poller is None else self._poller.errors

    @property
    def useful_symbols(self) -> tuple[str, ...]:
        """What lets the tickers' levels be shown in other points; operators may remove it."""
        return useful_to(self._tickers)

    async def load_changes(self) -> SymbolChanges:
        """The operators' changes as stored; TransientError while Redis is away."""
        return await self._wishes.load()

    async def store_changes(self, changes: SymbolChanges) -> None:
        """Keep changes for every process and restart, and act on them now; TransientError while Redis is away."""
        await self._wishes.store(changes)
        await self._apply(changes)

    @property
    def engine_pid(self) -> int | None:
        """The process that computes, while there is one."""
        return None if self._engines is None else self._engines.pid

    def status(self) -> StreamStatus:
        """One look at everything, without waiting for anything."""
        stats, poller, budget = self._runtime.publisher.stats, self._poller, self._budget
        auth, engines = self._runtime.auth, self._engines
        return replace(
            self._client_status(),
            started_at=self._started_at,
            buffered=stats.buffered,
            published=stats.published,
            dropped=stats.dropped,
            chain_age_s={} if poller is None else poller.nearest_age_s(),
            expiry_age_s={} if poller is None else poller.expiry_age_s(),
            engine_restarts=0 if engines is None else engines.restarts,
            engine_start_ms=None if engines is None else engines.start_ms,
            last_error=self.counters.last_error or (None if poller is None else poller.last_error),
            lease_holder=None if self._client is None else self._owner,
            needs_login=self._login_trouble(),
            login_configured=auth is not None,
            login_ends_at=None if auth is None else auth.status().login_ends_at,
            requests_used=0 if budget is None else budget.used,
            requests_per_minute=0 if budget is None else budget.per_minute,
        )

    def _client_status(self) -> StreamStatus:
        """What the client says of itself, in the terms of the stream's status."""
        if self._client is None:
            return StreamStatus(state="standby" if self._standing_by else "stopped")
        client = self._client.status
        return StreamStatus(
            state=client.state,
            since_at=client.since_at,
            last_login_at=client.last_login_at,
            symbols=client.symbols,
            missing=client.missing,
            quiet=client.quiet,
            delayed=client.delayed,
            contracts=client.contracts,
            unavailable=client.unavailable,
            frames_per_s=client.frames_per_s,
            service_frames_per_s=client.service_frames_per_s,
            reconnects=client.reconnects,
            last_close=client.last_close,
            retry_in_s=client.retry_in_s,
        )

    def facts(self) -> StreamFacts:
        """Everything that telemetry tells."""
        return StreamFacts(
            at=self._runtime.clock.now(),
            status=self.status(),
            client=None if self._client is None else self._client.status,
            publisher=self._runtime.publisher.stats,
            snapshots=self.counters,
        )

    async def _stream(self, auth: SchwabAuthClient, progress: Callable[[], None]) -> None:
        settings, clock = self._runtime.settings, self._runtime.clock
        self._started_at = clock.now()
        await self._read_changes()
        logins = StoredLogins(self._runtime.tokens, clock)
        self._budget = budget = RequestBudget(
            settings.gex_chain_requests_per_minute, clock, shared=SharedMinute(self._runtime.redis)
        )
        rest = SchwabRestClient(self._runtime.http, auth, api_url=settings.schwab_api_url, budget=budget, clock=clock)
        self._engines = engines = EngineHost(self._tickers, scope=settings.gex_scope, on_restart=self._poll_again)
        self._client = client = SchwabStreamClient(
            rest,
            auth,
            Subscriptions(symbols=self._symbols(), charts=settings.schwab_charts, services=self._services),
            _Sink(self._runtime, engines, progress),
            clock,
            self._rng,
            timing=self._timing,
            logins=logins,
            alarm=self._tell,
        )
        self._poller = ChainPoller(
            rest,
            self._tickers,
            load=engines.load,
            requests_per_minute=settings.gex_chain_requests_per_minute,
            days=settings.gex_chain_days,
            expiries=settings.gex_chain_expiries,
            strikes=settings.gex_chain_strikes,
            clock=clock,
            logins=logins,
        )
        self._keeper = LoginKeeper(auth, logins)
        snapshots = SnapshotLoop(
            engines, self._runtime.snapshots, clock, pace_s=settings.gex_pace_seconds, counters=self.counters
        )
        async with engines, asyncio.TaskGroup() as group:
            group.create_task(client.run(), name="schwab stream")
            group.create_task(self._poller.run(), name="schwab chains")
            group.create_task(self._keeper.run(), name="schwab login")
            group.create_task(snapshots.run(), name="gex")
            group.create_task(
                follow_near_options(engines, client, limit=settings.gex_live_options, clock=clock), name="live options"
            )
            group.create_task(self._follow_changes(), name="symbols")
            group.create_task(self._write_metrics(), name="stream metrics")
            group.create_task(self._log_facts(), name="stream log")

    def _poll_again(self) -> None:
        if self._poller is not None:
            self._poller.poll_again()

    def _symbols(self) -> tuple[str, ...]:
        """What is published: the wanted symbols, and what the tickers need to be priced."""
        wanted = self._own_symbols
        if wanted is None:
            wanted = self._changes.applied_to((*self.configured_symbols, *self.useful_symbols))
        return tuple(dict.fromkeys([*wanted, *self.needed_symbols]))

    async def _read_changes(self) -> None:
        with suppress(TransientError):  # they are read again every two seconds
            self._changes = await self._wishes.load()

    async def _follow_changes(self) -> None:
        """Notice what operators change through another process."""
        while self._own_symbols is None:
            await self._runtime.clock.sleep(_SYMBOLS_EVERY_S)
            try:
                await self._apply(await self._wishes.load())
            except TransientError as error:
                _LOG.debug("the symbols to stream were not read: %s", error)

    async def _apply(self, changes: SymbolChanges) -> None:
        if changes != self._changes:
            self._changes = changes
            if self._client is not None and self._own_symbols is None:
                _LOG.info("streaming %s from now on", ", ".join(self._symbols()) or "nothing")
                await self._client.set_symbols(self._symbols())

    def _login_trouble(self) -> str | None:
        client = None if self._client is None else self._client.status.needs_login
        keeper = None if self._keeper is None else self._keeper.trouble
        return client or keeper or (None if self._poller is None else self._poller.needs_login)

    async def _write_metrics(self) -> None:
        while True:
            try:
                await write_metrics(self._runtime.redis, keys.STREAM_METRICS, self._metrics())
            except TransientError as error:
                _LOG.debug("stream metrics were not written: %s", error)
            await self._runtime.clock.sleep(_METRICS_EVERY_S)

    async def _log_facts(self) -> None:
        while True:
            await self._runtime.clock.sleep(_LOG_EVERY_S)
            _LOG.info("%s", log_line(self.facts()))

    def _metrics(self) -> Mapping[str, MetricValue]:
        return metrics_mapping(self.facts())


class _Sink:
    """What the stream client hands its batches to: the publisher first, then the engines."""

    def __init__(self, runtime: Runtime, engines: EngineHost, progress: Callable[[], None]) -> None:
        self._publisher = runtime.publisher
        self._engines = engines
        self._progress = progress

    def __call__(self, events: Sequence[StreamEvent]) -> None:
        market: list[MarketEvent] = [event for event in events if not isinstance(event, OptionQuote)]
        self._publisher.publish(market)
        self._engines.take(events)
        self._progress()


def _log_alarm(sentence: str) -> None:
    _LOG.error("%s", sentence)
