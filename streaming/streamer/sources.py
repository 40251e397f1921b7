"""The sources that the settings ask for, each with its tickers, and one look at them all."""

import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Sequence
from typing import Final

from streaming.bus import keys
from streaming.bus.metrics import write_metrics
from streaming.bus.snapshots.store import SnapshotStore
from streaming.errors import TransientError
from streaming.ports import SnapshotSource
from streaming.replay.source import RecordedSource
from streaming.sources.cboe_source import CboeSource
from streaming.sources.claims import RedisClaims
from streaming.sources.gexbot import GexbotSource
from streaming.sources.polling import Surroundings
from streaming.sources.redis_source import RedisSource
from streaming.status import SourceStatus
from streaming.streamer.runtime import Runtime
from streaming.streamer.streamer import Streamer
from streaming.symbols import Ticker
from streaming.telemetry.source_report import schwab_status, source_metrics

_LOG: Final = logging.getLogger(__name__)
_REPORT_EVERY_S: Final = 1.0


class Sources:
    """Every source but the streamer, which has its own job; `run` each of `polled` until cancelled."""

    def __init__(
        self,
        runtime: Runtime,
        tickers: Sequence[Ticker],
        streamer: Streamer,
        *,
        rng: random.Random,
        tell: Callable[[str], None],
    ) -> None:
        self._runtime = runtime
        self._tickers = tuple(tickers)
        self._streamer = streamer
        self._rng = rng
        self._tell = tell
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        built = (self._cboe(), self._gexbot(), self._redis(), self._replay())
        self.polled: tuple[SnapshotSource, ...] = tuple(source for source in built if source is not None)

    def statuses(self) -> tuple[SourceStatus, ...]:
        """One look at each source that has tickers, the streamer's included."""
        own = self._runtime.settings.tickers_from("schwab", self._tickers)
        found = tuple(source.status() for source in self.polled)
        if not own:
            return found
        names = (ticker.name for ticker in own)
        streamer = self._streamer
        return (schwab_status(names, streamer.status(), streamer.counters, streamer.chain_errors), *found)

    async def report(self, progress: Callable[[], None]) -> None:
        """Keep `metrics:gex_sources` current until cancelled."""
        clock = self._runtime.clock
        while True:
            try:
                await write_metrics(
                    self._runtime.redis, keys.SOURCE_METRICS, source_metrics(self.statuses(), clock.now())
                )
                progress()
            except TransientError as error:
                _LOG.debug("source metrics were not written: %s", error)
            await clock.sleep(_REPORT_EVERY_S)

    def _cboe(self) -> CboeSource | None:
        settings = self._runtime.settings
        if not (own := settings.tickers_from("cboe", self._tickers)):
            return None
        return CboeSource(
            own,
            url=settings.cboe_api_url,
            scope=settings.gex_scope,
            every_s=settings.cboe_poll_seconds,
            around=self._surroundings("cboe"),
        )

    def _gexbot(self) -> GexbotSource | None:
        settings = self._runtime.settings
        if not (own := settings.tickers_from("gexbot", self._tickers)):
            return None
        return GexbotSource(
            own,
            key=settings.gexbot_api_key,
            url=settings.gexbot_api_url,
            scope=settings.gex_scope,
            every_s=settings.gexbot_poll_seconds,
            around=self._surroundings("gexbot"),
        )

    def _redis(self) -> RedisSource | None:
        runtime = self._runtime
        if not (own := runtime.settings.tickers_from("redis", self._tickers)):
            return None
        return RedisSource(
            own,
            store=SnapshotStore(runtime.redis, clock=runtime.clock, intake=runtime.snapshots.intake),
            clock=runtime.clock,
        )

    def _replay(self) -> RecordedSource | None:
        runtime = self._runtime
        if not (own := runtime.settings.tickers_from("replay", self._tickers)):
            return None
        return RecordedSource(
            own,
            settings=runtime.settings,
            redis=runtime.redis,
            reader=runtime.snapshots,
            snapshots=runtime.snapshots,
            events=runtime.publisher,
            clock=runtime.clock,
            owner=self._owner,
        )

    def _surroundings(self, source: str) -> Surroundings:
        runtime = self._runtime
        return Surroundings(
            sink=runtime.snapshots,
            claims=RedisClaims(runtime.redis, source, self._owner),
            clock=runtime.clock,
            rng=self._rng,
            tell=self._tell,
        )
