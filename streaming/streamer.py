"""The job that owns the stream: Schwab's socket and chains in, ticks, books and snapshots out."""

import asyncio
import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.metrics import MetricValue, write_metrics
from streaming.errors import ConfigurationError, TransientError
from streaming.gex.engine import GexEngine
from streaming.model import GexSnapshot, Level2Event, OptionChain, OptionQuote, TickEvent
from streaming.ports import MarketEvent, StreamEvent
from streaming.runtime import Runtime
from streaming.schwab.auth_client import SchwabAuthClient
from streaming.schwab.rest import RequestBudget, SchwabRestClient
from streaming.schwab.stream_client import SchwabStreamClient, Subscriptions
from streaming.settings import StreamSettings
from streaming.sources.schwab import ChainPoller
from streaming.status import StreamStatus
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
_METRICS_EVERY_S: Final = 1.0
_OPTIONS_EVERY_S: Final = 10.0
_SLOW_COMPUTE_S: Final = 0.05


@dataclass(slots=True)
class StreamerCounters:
    """What happened since the process started."""

    snapshots: int = 0
    compute_errors: int = 0
    store_errors: int = 0
    compute_ms: float | None = None
    last_snapshot_at: datetime | None = None
    last_error: str | None = None


class EngineRoom:
    """The engines of all tickers: hands each event to whom it concerns and knows who must compute again."""

    def __init__(self, tickers: Sequence[Ticker], settings: StreamSettings) -> None:
        self.tickers = tuple(tickers)
        self._engines = {ticker.name: GexEngine(ticker, scope=settings.gex_scope) for ticker in tickers}
        self._by_wire: dict[str, list[Callable[[float, int], None]]] = {}
        self._names_by_wire: dict[str, list[str]] = {}
        for ticker in self.tickers:
            engine = self._engines[ticker.name]
            self._route(ticker.wire, ticker.name, engine.on_spot)
            if ticker.future is not None:
                self._route(ticker.future, ticker.name, engine.on_future)
        self._dirty: set[str] = set()

    def take(self, events: Sequence[StreamEvent]) -> None:
        """Feed a batch of events to the engines."""
        quotes = [event for event in events if isinstance(event, OptionQuote)]
        for event in events:
            if isinstance(event, TickEvent) and event.symbol in self._by_wire and event.last is not None:
                for listener in self._by_wire[event.symbol]:
                    listener(event.last, event.event_ms)
                self._dirty.update(self._names_by_wire[event.symbol])
        if quotes:
            for name, engine in self._engines.items():
                engine.on_option(quotes)
                self._dirty.add(name)

    def on_chain(self, underlying: str, chain: OptionChain) -> None:
        """Feed a chain to every engine on that underlying."""
        for ticker in self.tickers:
            if ticker.underlying == underlying:
                self._engines[ticker.name].on_chain(chain)
                self._dirty.add(ticker.name)

    def take_dirty(self) -> tuple[str, ...]:
        """The tickers with news since the last call."""
        names, self._dirty = tuple(sorted(self._dirty)), set()
        return names

    def compute(self, name: str, now: datetime) -> GexSnapshot | None:
        """The snapshot of one ticker now; None before its first chain."""
        return self._engines[name].compute(now)

    def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings, each once."""
        symbols: dict[str, None] = {}
        for underlying in dict.fromkeys(ticker.underlying for ticker in self.tickers):
            name = next(ticker.name for ticker in self.tickers if ticker.underlying == underlying)
            symbols.update(dict.fromkeys(self._engines[name].near_symbols(per_underlying)))
        return tuple(symbols)

    def _route(self, wire: str, name: str, listener: Callable[[float, int], None]) -> None:
        self._by_wire.setdefault(wire, []).append(listener)
        self._names_by_wire.setdefault(wire, []).append(name)


class Streamer:
    """Streams and computes while it runs; `run` may be called again after it ended, never twice at once."""

    def __init__(self, runtime: Runtime, tickers: Sequence[Ticker], *, update_s: float, rng: random.Random) -> None:
        self._runtime = runtime
        self._tickers = tuple(tickers) if runtime.settings.gex_source == "schwab" else ()
        self._update_s = update_s
        self._rng = rng
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._client: SchwabStreamClient | None = None
        self._poller: ChainPoller | None = None
        self._standing_by = False
        self.counters = StreamerCounters()

    async def run(self, progress: Callable[[], None]) -> None:
        """Wait for the lease, then stream until cancelled.

        Raises ConfigurationError without app key and secret, LoginRequiredError when Schwab wants a login.
        """
        auth = self._runtime.auth
        if auth is None:
            raise ConfigurationError(
                "SCHWAB_CLIENT_ID and SCHWAB_CLIENT_SECRET are not set.",
                remedy="Set them in .env and restart, or set GEX_SOURCE=redis to show another program's snapshots.",
            )
        lease = Lease(self._runtime.redis, keys.STREAM_LEASE, self._owner)
        try:
            self._standing_by = not await lease.acquire()
            async with lease.held(wait=True):
                self._standing_by = False
                await self._stream(auth, progress)
        finally:
            self._standing_by = False
            self._client = self._poller = None

    def status(self) -> StreamStatus:
        """One look at everything, without I/O."""
        client = None if self._client is None else self._client.status
        stats = self._runtime.publisher.stats
        return StreamStatus(
            state=client.state if client is not None else ("standby" if self._standing_by else "stopped"),
            since_at=None if client is None else client.since_at,
            symbols={} if client is None else client.symbols,
            frames_per_s=0.0 if client is None else client.frames_per_s,
            reconnects=0 if client is None else client.reconnects,
            last_close=None if client is None else client.last_close,
            buffered=stats.buffered,
            published=stats.published,
            dropped=stats.dropped,
            chain_age_s={} if self._poller is None else self._poller.nearest_age_s(),
            last_error=self.counters.last_error or (None if self._poller is None else self._poller.last_error),
            lease_holder=self._owner if client is not None else None,
        )

    async def _stream(self, auth: SchwabAuthClient, progress: Callable[[], None]) -> None:
        settings, clock = self._runtime.settings, self._runtime.clock
        budget = RequestBudget(settings.gex_chain_requests_per_minute, clock)
        rest = SchwabRestClient(self._runtime.http, auth, api_url=settings.schwab_api_url, budget=budget, clock=clock)
        room = EngineRoom(self._tickers, settings)
        self._client = SchwabStreamClient(
            rest, auth, Subscriptions(symbols=self._symbols()), _Sink(self._runtime, room, progress), clock, self._rng
        )
        self._poller = ChainPoller(
            rest,
            self._tickers,
            on_chain=room.on_chain,
            requests_per_minute=settings.gex_chain_requests_per_minute,
            days=settings.gex_chain_days,
            clock=clock,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._client.run(), name="schwab stream")
            group.create_task(self._poller.run(), name="schwab chains")
            group.create_task(self._compute(room), name="gex")
            group.create_task(self._follow_options(room, self._client), name="live options")
            group.create_task(self._report(), name="stream metrics")

    def _symbols(self) -> tuple[str, ...]:
        """What is published: the configured symbols, and what the tickers need to be priced."""
        needed = [symbol for ticker in self._tickers for symbol in (ticker.wire, ticker.future) if symbol is not None]
        return tuple(dict.fromkeys([*self._runtime.settings.schwab_symbols, *needed]))

    async def _compute(self, room: EngineRoom) -> None:
        """Recompute what has news, at the feed's pace; a slow round shifts the next, it never queues."""
        clock = self._runtime.clock
        due_s = clock.monotonic()
        while True:
            for name in room.take_dirty():
                await self._compute_one(room, name)
                await asyncio.sleep(0)
            due_s = max(due_s + self._update_s, clock.monotonic())
            await clock.sleep(due_s - clock.monotonic())

    async def _compute_one(self, room: EngineRoom, name: str) -> None:
        clock = self._runtime.clock
        began_s = clock.monotonic()
        try:
            snapshot = room.compute(name, clock.now())
        except ArithmeticError as error:  # numpy's own; the next chain may be sound again
            self.counters.compute_errors += 1
            self.counters.last_error = f"{name} could not be computed ({type(error).__name__})."
            _LOG.exception("%s could not be computed", name)
            return
        took_s = clock.monotonic() - began_s
        self.counters.compute_ms = took_s * 1000
        if took_s > _SLOW_COMPUTE_S:
            _LOG.info("computing %s took %.0f ms", name, took_s * 1000)
        if snapshot is not None:
            await self._put(snapshot)

    async def _put(self, snapshot: GexSnapshot) -> None:
        try:
            await self._runtime.snapshots.put(snapshot)
        except TransientError as error:
            self.counters.store_errors += 1
            self.counters.last_error = str(error)
            _LOG.warning("a snapshot of %s was not stored: %s", snapshot.ticker, error)
        else:
            self.counters.snapshots += 1
            self.counters.last_snapshot_at = self._runtime.clock.now()

    async def _follow_options(self, room: EngineRoom, client: SchwabStreamClient) -> None:
        """Keep the options near the money streaming, as spot and expiries move on."""
        limit = self._runtime.settings.gex_live_options
        followed: frozenset[str] = frozenset()
        while limit:
            wanted = room.near_symbols(limit)
            if wanted and frozenset(wanted) != followed:
                await client.follow_options(wanted)
                followed = frozenset(wanted)
            await self._runtime.clock.sleep(_OPTIONS_EVERY_S if followed else 0.5)

    async def _report(self) -> None:
        while True:
            try:
                await write_metrics(self._runtime.redis, keys.STREAM_METRICS, self._metrics())
            except TransientError as error:
                _LOG.debug("stream metrics were not written: %s", error)
            await self._runtime.clock.sleep(_METRICS_EVERY_S)

    def _metrics(self) -> Mapping[str, MetricValue]:
        status, counters, stats = self.status(), self.counters, self._runtime.publisher.stats
        client = None if self._client is None else self._client.status
        now = self._runtime.clock.now()
        last_frame_at = None if client is None else client.last_frame_at
        return {
            "state": status.state,
            "updated_at": now,
            "frames_per_s": round(status.frames_per_s, 3),
            "last_frame_age_s": None if last_frame_at is None else round((now - last_frame_at).total_seconds(), 3),
            "reconnects": status.reconnects,
            "last_close": status.last_close,
            "bad_frames": None if client is None else client.bad_frames,
            "buffer": stats.buffered,
            "published": stats.published,
            "lost": stats.dropped,
            "rejected": stats.rejected,
            "flush_errors": stats.flush_errors,
            "snapshots": counters.snapshots,
            "snapshot_store_errors": counters.store_errors,
            "compute_errors": counters.compute_errors,
            "compute_ms": None if counters.compute_ms is None else round(counters.compute_ms, 3),
            "lease_holder": status.lease_holder,
            "last_error": status.last_error,
        }


class _Sink:
    """What the stream client hands its batches to: the publisher first, then the engines."""

    def __init__(self, runtime: Runtime, room: EngineRoom, progress: Callable[[], None]) -> None:
        self._publisher = runtime.publisher
        self._room = room
        self._progress = progress

    def __call__(self, events: Sequence[StreamEvent]) -> None:
        market: list[MarketEvent] = [event for event in events if isinstance(event, (TickEvent, Level2Event))]
        self._publisher.publish(market)
        self._room.take(events)
        self._progress()
