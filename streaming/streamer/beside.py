"""Tickers that are asked for while the stream runs: engines, chains and maps of their own, on its socket and budget."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.engine.engine_host import EngineHost
from streaming.engine.loop import SnapshotCounters, SnapshotLoop
from streaming.engine.map_loop import MapLoop
from streaming.ports import Assure
from streaming.sources.chain_polling import ChainPoller
from streaming.sources.ex_dividends import ExDividends
from streaming.streamer.parts import StreamParts
from streaming.streamer.runtime import Runtime
from streaming.symbols import Ticker

_SHARE: Final = 4
"""What part of the requests a minute is planned for these: one in so many, so that the others hardly notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BesideParts:
    """What computes a set of tickers beside the streamer's own; another set gets other parts."""

    engines: EngineHost
    poller: ChainPoller
    dividends: ExDividends
    snapshots: SnapshotLoop
    maps: MapLoop

    async def run(self, listeners: list[EngineHost]) -> None:
        """Compute until cancelled; what the stream brings comes through `listeners`."""
        async with self.engines:
            listeners.append(self.engines)
            try:
                async with asyncio.TaskGroup() as group:
                    for part in (self.poller, self.dividends, self.snapshots, self.maps):
                        group.create_task(part.run(), name=f"beside: {type(part).__name__}")
            finally:
                listeners.remove(self.engines)


def wire_beside(
    runtime: Runtime, parts: StreamParts, tickers: Sequence[Ticker], *, assure: Assure, counters: SnapshotCounters
) -> BesideParts:
    """Build them for these tickers; nothing runs yet. Their options are not streamed: the chains bring them."""
    settings, clock = runtime.settings, runtime.clock
    engines = EngineHost(
        tickers,
        scope=settings.gex_scope,
        volatility=settings.gex_volatility,
        on_restart=lambda: poller.poll_again(),  # noqa: PLW0108  # the poller is made last: it needs the engines
    )
    dividends = ExDividends(parts.rest, tickers, clock)
    poller = ChainPoller(
        parts.rest,
        tickers,
        load=engines.load,
        requests_per_minute=max(settings.gex_chain_requests_per_minute // _SHARE, 1),
        days=settings.gex_chain_days,
        expiries=settings.gex_chain_expiries,
        strikes=settings.gex_chain_strikes,
        clock=clock,
        logins=parts.logins,
        ex_dividend=dividends.next_of,
    )
    return BesideParts(
        engines=engines,
        poller=poller,
        dividends=dividends,
        snapshots=SnapshotLoop(
            engines, runtime.snapshots, clock, pace_s=settings.gex_pace_seconds, counters=counters, assure=assure
        ),
        maps=MapLoop(engines, DayMapStore(runtime.redis), clock, assure=assure),
    )
