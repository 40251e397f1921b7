"""Snapshots as news comes, at most at a set pace: what changed is computed and stored."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.engine.engine_host import EngineError
from streaming.errors import TransientError
from streaming.model import GexSnapshot
from streaming.ports import Assure, SnapshotSink
from streaming.process.trouble import LastingTrouble
from streaming.symbols import Ticker

_EVERY_S: Final = 10.0
_BEFORE_CHAINS_S: Final = 0.5
_BEFORE_FIGURES_S: Final = 0.1
_LOG: Final = logging.getLogger(__name__)
_SLOW_COMPUTE_S: Final = 0.05
_EXPECT_S: Final = 0.02
"""Before a computation is due no chain is begun: it would take as long."""
_REHEARSE_S: Final = 0.008
"""Before a computation is due: about as long as a rehearsal takes, for what it warms cools within milliseconds."""


@dataclass(slots=True)
class SnapshotCounters:
    """What happened since the process started."""

    snapshots: int = 0
    compute_errors: int = 0
    store_errors: int = 0
    compute_ms: float | None = None
    """From the order to the finished snapshot, the way to the engines and back included."""
    last_snapshot_at: datetime | None = None
    last_error: str | None = None


class Engines(Protocol):
    """What computes."""

    @property
    def tickers(self) -> Sequence[Ticker]: ...

    async def news(self, name: str) -> None: ...

    def expect(self, within_s: float) -> None: ...

    def rehearse(self, name: str, now: datetime) -> None: ...

    async def compute(self, name: str, now: datetime) -> GexSnapshot | None: ...


class SnapshotLoop:
    """Computes a ticker as soon as it has news and `pace_s` has passed since it was last begun.

    Without news nothing is computed. A slow computation or store shifts the next one; nothing queues: tickers that have
    news at once take turns, each as long after the one before as a rehearsal and a computation take, and keep their
    places in the second from then on.
    """

    def __init__(
        self,
        engines: Engines,
        sink: SnapshotSink,
        clock: Clock,
        *,
        pace_s: float,
        counters: SnapshotCounters,
        assure: Assure | None = None,
    ) -> None:
        """`assure` raises when another process computes by now: its snapshots are newer than ours."""
        self._engines = engines
        self._sink = sink
        self._clock = clock
        self._pace_s = pace_s
        self._counters = counters
        self._unstored = LastingTrouble(_LOG, monotonic=clock.monotonic)
        self._assure = assure
        self._logged: set[tuple[str, str]] = set()
        self._free_s = 0.0
        """When the engines are done with what they were asked last, and have rehearsed the next."""
        self._took_s = 0.0
        self._due_s: dict[str, float] = {}
        """When each ticker may be computed next."""

    async def run(self) -> None:
        """Compute and store until cancelled; tickers do not wait for one another."""
        async with asyncio.TaskGroup() as group:
            for ticker in self._engines.tickers:
                group.create_task(self._keep_current(ticker.name), name=f"gex {ticker.name}")

    async def _keep_current(self, name: str) -> None:
        clock = self._clock
        due_s = clock.monotonic()
        while True:
            await self._engines.news(name)
            await self._rehearsed(name, due_s)
            if (wait_s := due_s - clock.monotonic()) > 0.0:
                await clock.sleep(wait_s)
            if (wait_s := self._turn_s(clock.monotonic()) - clock.monotonic()) > 0.0:
                await clock.sleep(wait_s)
            began_s = clock.monotonic()
            due_s = began_s + (self._pace_s if await self._compute_one(name) else _BEFORE_FIGURES_S)
            self._due_s[name] = due_s

    async def _rehearsed(self, name: str, due_s: float) -> None:
        """Have it gone through a moment before it is due, unless another ticker would have to wait for that."""
        clock = self._clock
        if (wait_s := due_s - _EXPECT_S - clock.monotonic()) < 0.0:
            return
        await clock.sleep(wait_s)
        self._engines.expect(2.0 * _EXPECT_S)
        await clock.sleep(due_s - _REHEARSE_S - clock.monotonic())
        now_s = clock.monotonic()
        others = [other_s for other, other_s in self._due_s.items() if other != name]
        if not any(now_s <= other_s <= due_s for other_s in others):
            self._engines.rehearse(name, clock.now())

    def _turn_s(self, now_s: float) -> float:
        """When a computation may begin that could begin now; others come after it."""
        begin_s = max(now_s, self._free_s)
        self._free_s = begin_s + min(self._took_s + _REHEARSE_S, self._pace_s / len(self._engines.tickers))
        return begin_s

    async def _compute_one(self, name: str) -> bool:
        """Whether the pace holds for the next one: not while there are no figures yet."""
        clock, counters = self._clock, self._counters
        began_s = clock.monotonic()
        try:
            snapshot = await self._engines.compute(name, clock.now())
        except Exception as error:  # noqa: BLE001  # one ticker's trouble, of whatever kind, is not the stream's
            self._note_failure(name, error)
            return True
        took_s = clock.monotonic() - began_s
        self._took_s = took_s
        counters.compute_ms = took_s * 1000
        if took_s > _SLOW_COMPUTE_S:
            _LOG.info("computing %s took %.0f ms", name, took_s * 1000)
        if snapshot is None:
            return False
        await self._put(snapshot)
        return True

    def _note_failure(self, name: str, error: Exception) -> None:
        """Count it; the traceback of each kind of error of a ticker is logged once."""
        kind = error.kind if isinstance(error, EngineError) else type(error).__name__
        self._counters.compute_errors += 1
        self._counters.last_error = f"{name} could not be computed ({kind})."
        if (name, kind) not in self._logged:
            self._logged.add((name, kind))
            _LOG.error("%s could not be computed", name, exc_info=error)

    async def _put(self, snapshot: GexSnapshot) -> None:
        try:
            if self._assure is not None:
                await self._assure()
            await self._sink.put(snapshot)
        except TransientError as error:
            self._counters.store_errors += 1
            self._counters.last_error = str(error)
            self._unstored.add(f"a snapshot of {snapshot.ticker} was not stored: {error}")
        else:
            self._counters.snapshots += 1
            self._counters.last_snapshot_at = self._clock.now()


class OptionStream(Protocol):
    """What can stream options."""

    async def follow_options(self, options: Iterable[str]) -> None:
        """Quote exactly these from now on."""
        ...


class NearOptions(Protocol):
    """What knows which options matter."""

    async def near_symbols(self, per_underlying: int) -> tuple[str, ...]:
        """The options most worth streaming, over all underlyings."""
        ...


async def follow_near_options(engines: NearOptions, stream: OptionStream, *, limit: int, clock: Clock) -> None:
    """Ask for the `limit` options a ticker needs most, again whenever they change; until cancelled, or never."""
    followed: frozenset[str] = frozenset()
    while limit:
        wanted = await _wanted(engines, limit)
        if wanted and frozenset(wanted) != followed:
            await stream.follow_options(wanted)
            followed = frozenset(wanted)
        await clock.sleep(_EVERY_S if followed else _BEFORE_CHAINS_S)


async def _wanted(engines: NearOptions, limit: int) -> tuple[str, ...]:
    """Nothing while the engines are being started again: what is followed stays."""
    try:
        return await engines.near_symbols(limit)
    except (TransientError, EngineError) as error:
        _LOG.debug("the options near the money are not known: %s", error)
        return ()
