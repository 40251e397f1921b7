"""What a source of snapshots is to the rest of the program: a record in its own file; `streamer.sources` lists them."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, Self

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.engine.loop import SnapshotCounters
from streaming.errors import ConfigurationError, TransientError
from streaming.ports import EventSink, SnapshotSource, Tell
from streaming.setting_values import SourceName
from streaming.settings import StreamSettings
from streaming.sources.polling import Surroundings
from streaming.status import StreamStatus
from streaming.symbols import Ticker

_LOG: Final = logging.getLogger(__name__)
TTL_S: Final = 8.0
"""How long a killed process still counts, however seldom it asked."""


class RedisClaims:
    """A lease for each ticker asked about inside this context, renewed meanwhile and given back at its end."""

    def __init__(self, redis: Redis, source: str, owner: str, *, ttl_s: float = TTL_S) -> None:
        self._redis = redis
        self._source = source
        self._owner = owner
        self._ttl_s = ttl_s
        self._held: dict[str, Lease] = {}
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._renewing = asyncio.create_task(self._renew(), name=f"source claims {self._source}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait({self._renewing})
        held, self._held = self._held, {}
        for lease in held.values():
            try:
                await lease.release()
            except TransientError as away:
                _LOG.debug("%s It ends by itself.", away)

    async def ours(self, ticker: str) -> bool:
        """Take or keep the right to a ticker; TransientError while Redis is away."""
        lease = Lease(self._redis, keys.source_lease(self._source, ticker), self._owner, ttl_s=self._ttl_s)
        mine = await lease.acquire()
        if mine:
            self._held[ticker] = lease
        else:
            self._held.pop(ticker, None)
        return mine

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._ttl_s / 4)
            for ticker, lease in list(self._held.items()):
                try:
                    if not await lease.renew():
                        self._held.pop(ticker, None)
                except TransientError as away:
                    _LOG.debug("%s The claim is kept meanwhile.", away)


class Stream(Protocol):
    """The job that streams from Schwab and computes from its chains."""

    counters: SnapshotCounters

    @property
    def chain_errors(self) -> int:
        """Requests for chains that failed or brought none."""
        ...

    async def run(self, progress: Callable[[], None]) -> None:
        """Stream until cancelled."""
        ...

    def status(self) -> StreamStatus:
        """One look at it, without waiting for anything."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What sources are built from."""

    settings: StreamSettings
    clock: Clock
    redis: Redis
    snapshots: SnapshotStore
    events: EventSink
    stream: Stream
    rng: random.Random
    tell: Tell
    """Told, once for each cause, what a person must act on."""
    owner: str
    """How this process is called where only one may work."""

    def around(self, source: SourceName) -> Surroundings:
        """What a polled source works with."""
        return Surroundings(
            sink=self.snapshots,
            claims=RedisClaims(self.redis, source, self.owner),
            clock=self.clock,
            rng=self.rng,
            tell=self.tell,
        )


def _nothing(_tickers: Sequence[Ticker], _settings: StreamSettings) -> None:
    return None


@dataclass(frozen=True, slots=True)
class SourceKind:
    """One source that GEX_SOURCE may name."""

    name: SourceName
    build: Callable[[Sequence[Ticker], Kit], SnapshotSource]
    """For the tickers that come from it."""
    lacks: Callable[[Sequence[Ticker], StreamSettings], ConfigurationError | None] = _nothing
    """What a person must set before it can serve its tickers, known from the settings alone."""
    has_own_job: bool = False
    """Whether it works in a job that is there for more than its snapshots."""
