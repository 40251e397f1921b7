"""What a source of snapshots is to the rest of the program: a record in its own file; `streamer.sources` lists them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from redis.asyncio import Redis

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import Clock
from streaming.engine.loop import SnapshotCounters
from streaming.errors import ConfigurationError
from streaming.ports import EventSink, SnapshotSource
from streaming.settings import StreamSettings
from streaming.source_choice import SourceName
from streaming.sources.claims import RedisClaims
from streaming.sources.polling import Surroundings
from streaming.status import StreamStatus
from streaming.symbols import Ticker


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
    tell: Callable[[str], None]
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
