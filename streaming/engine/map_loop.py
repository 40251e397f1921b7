"""The map of the rest of the session of every ticker, made anew once a minute."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from streaming.clock import Clock
from streaming.day_map import DayMap
from streaming.engine.engine_host import EngineError
from streaming.errors import TransientError
from streaming.ports import Assure
from streaming.process.trouble import LastingTrouble
from streaming.symbols import Ticker

_EVERY_S: Final = 60.0
_FIRST_S: Final = 2.0
_LOG: Final = logging.getLogger(__name__)


class MapEngines(Protocol):
    """What makes maps."""

    @property
    def tickers(self) -> Sequence[Ticker]: ...

    async def map_ahead(self, name: str, *, newer_than_ms: int) -> DayMap | None: ...


class MapSink(Protocol):
    """Takes finished maps."""

    async def put(self, made: DayMap) -> None:
        """Store as the ticker's map; TransientError when the store is away."""
        ...


class MapLoop:
    """Has a ticker's map made and stored once a minute where its figures have changed; the first one soon."""

    def __init__(self, engines: MapEngines, sink: MapSink, clock: Clock, *, assure: Assure | None = None) -> None:
        """`assure` raises when another process computes by now: its maps are newer than ours."""
        self._engines = engines
        self._sink = sink
        self._clock = clock
        self._assure = assure
        self._newest_ms: dict[str, int] = {}
        self._trouble = LastingTrouble(_LOG, monotonic=clock.monotonic)

    async def run(self) -> None:
        """Until cancelled; tickers do not wait for one another."""
        async with asyncio.TaskGroup() as group:
            for ticker in self._engines.tickers:
                group.create_task(self._keep_current(ticker.name), name=f"map {ticker.name}")

    async def _keep_current(self, name: str) -> None:
        while True:
            await self._clock.sleep(_EVERY_S if name in self._newest_ms else _FIRST_S)
            await self._renew(name)

    async def _renew(self, name: str) -> None:
        try:
            made = await self._engines.map_ahead(name, newer_than_ms=self._newest_ms.get(name, 0))
            if made is None:
                return
            if self._assure is not None:
                await self._assure()
            await self._sink.put(made)
        except (TransientError, EngineError) as error:
            self._trouble.add(f"the map of {name} was not made or not stored: {error}")
        else:
            self._newest_ms[name] = made.asof_ms
