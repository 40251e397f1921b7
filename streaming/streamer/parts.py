"""What runs while streaming: wired in one place, and one look at all of it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from streaming.bus.notes import RedisRouteMemory
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.engine.engine_host import EngineHost
from streaming.engine.loop import SnapshotCounters, SnapshotLoop
from streaming.engine.map_loop import MapLoop
from streaming.ports import Assure, EventSink, StreamEvent, Tell
from streaming.schwab.login.auth_client import SchwabAuthClient
from streaming.schwab.login.keeper import LoginKeeper, StoredLogins
from streaming.schwab.rest.budget import RequestBudget
from streaming.schwab.rest.rest_client import SchwabRestClient
from streaming.schwab.rest.route_trouble import RouteTroubles
from streaming.schwab.stream.policy import StreamTiming
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient
from streaming.schwab.stream.stream_connection import StreamSink
from streaming.schwab.stream.stream_status import StreamClientStatus
from streaming.sources.chain_polling import ChainPoller
from streaming.sources.ex_dividends import ExDividends
from streaming.status import ConnectionStatus, StreamStatus
from streaming.streamer.runtime import Runtime
from streaming.symbols import Ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamParts:
    """Everything between Schwab and the bus, from the beginning of streaming to its end; the owner runs them."""

    started_at: datetime
    budget: RequestBudget
    logins: StoredLogins
    rest: SchwabRestClient
    engines: EngineHost
    listeners: list[EngineHost]
    """All engines that the stream's events go to; others may come and go."""
    client: SchwabStreamClient
    poller: ChainPoller
    dividends: ExDividends
    routes: RouteTroubles
    keeper: LoginKeeper
    snapshots: SnapshotLoop
    maps: MapLoop

    @property
    def needs_login(self) -> str | None:
        """Why a person must log in; None while nobody must."""
        return self.client.needs_login or self.keeper.trouble or self.poller.needs_login

    def status(self, client: StreamClientStatus) -> StreamStatus:
        """What the parts say of themselves beside what the client does; their owner adds what is true without them."""
        connection = {name: getattr(client, name) for name in ConnectionStatus.__dataclass_fields__}
        return StreamStatus(
            **(connection | {"needs_login": self.needs_login}),
            odd_frames=client.bad_frames + client.tolerant_frames,
            started_at=self.started_at,
            chain_age_s=self.poller.nearest_age_s(),
            expiry_age_s=self.poller.expiry_age_s(),
            chain_refusals=self.poller.refusals(),
            chain_remarks=self.poller.remarks(),
            chains_refused=self.poller.refused,
            chain_rows_odd=self.poller.odd_rows,
            engine_restarts=self.engines.restarts,
            engine_start_ms=self.engines.start_ms,
            last_error=self.poller.last_error,
            refused=self.routes.sentences,
        )


def wire_parts(
    runtime: Runtime,
    auth: SchwabAuthClient,
    tickers: Sequence[Ticker],
    subscriptions: Subscriptions,
    *,
    budget: RequestBudget,
    assure: Assure,
    counters: SnapshotCounters,
    rng: random.Random,
    timing: StreamTiming | None,
    tell: Tell,
    progress: Callable[[], None],
    flowed_at: datetime | None = None,
) -> StreamParts:
    """Build the parts on a runtime; nothing runs and nothing is opened yet.

    `assure` says, before anything is written to Schwab or Redis, that streaming is still ours to do.
    """
    settings, clock = runtime.settings, runtime.clock
    logins = StoredLogins(runtime.tokens, clock, app=auth.app)
    routes = RouteTroubles(
        clock,
        rng,
        tell=tell,
        memory=RedisRouteMemory(runtime.redis),
        app_id=lambda: auth.app().fingerprint,
        subject=lambda: (auth.login_id(), auth.app()),
        timing=(timing or StreamTiming()).routes,
    )
    rest = SchwabRestClient(
        runtime.http, auth, api_url=settings.schwab_api_url, budget=budget, clock=clock, routes=routes
    )
    engines = EngineHost(
        tickers,
        scope=settings.gex_scope,
        volatility=settings.gex_volatility,
        spare=runtime.spare_engine,
        on_restart=lambda: poller.poll_again(),  # noqa: PLW0108  # the poller is made last: it needs the engines
    )
    listeners = [engines]
    sink = _sink(runtime.publisher, listeners, progress)
    client = SchwabStreamClient(
        rest,
        auth,
        subscriptions,
        sink,
        clock,
        rng,
        timing=timing,
        logins=logins,
        tell=tell,
        assure=assure,
        routes=routes,
        flowed_at=flowed_at,
        room=runtime.publisher.room,
    )
    dividends = ExDividends(rest, tickers, clock)
    poller = ChainPoller(
        rest,
        tickers,
        load=engines.load,
        requests_per_minute=settings.gex_chain_requests_per_minute,
        days=settings.gex_chain_days,
        expiries=settings.gex_chain_expiries,
        strikes=settings.gex_chain_strikes,
        clock=clock,
        logins=logins,
        ex_dividend=dividends.next_of,
    )
    snapshots = SnapshotLoop(
        engines, runtime.snapshots, clock, pace_s=settings.gex_pace_seconds, counters=counters, assure=assure
    )
    return StreamParts(
        started_at=clock.now(),
        budget=budget,
        logins=logins,
        rest=rest,
        engines=engines,
        listeners=listeners,
        client=client,
        poller=poller,
        dividends=dividends,
        routes=routes,
        keeper=LoginKeeper(auth, logins),
        snapshots=snapshots,
        maps=MapLoop(engines, DayMapStore(runtime.redis), clock, assure=assure),
    )


def _sink(publisher: EventSink, listeners: Sequence[EngineHost], progress: Callable[[], None]) -> StreamSink:
    """What the stream client hands its batches to: the publisher first, then the engines."""

    def take(events: Sequence[StreamEvent]) -> None:
        publisher.publish(events)
        for engines in listeners:
            engines.take(events)
        progress()

    return take
