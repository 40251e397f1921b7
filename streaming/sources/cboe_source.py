"""CBOE's delayed quotes, downloaded at a polite pace without an account; delayed, with their real quote time.

One download at a time, conditional on news; parsing and computing happen in the engine's own process.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import httpx

from streaming.bus.snapshots.classic import has_figures
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.clock import Clock
from streaming.engine.engine_host import EngineError, EngineHost
from streaming.engine.kept_chains import ChainDelivery
from streaming.engine.map_loop import MapLoop, MapSink
from streaming.engine.protocol import ChainKind
from streaming.errors import ConfigurationError, ContractError, GexcordError
from streaming.model import GexSnapshot, ScopeName, VolatilityRule
from streaming.process.packed import MOST_UNPACKED
from streaming.process.trouble import Matters
from streaming.settings import StreamSettings
from streaming.sources.download import Answer, Server, download, open_client
from streaming.sources.polling import Pace, Poller, Surroundings
from streaming.sources.source_book import SourceBook
from streaming.sources.source_kind import Kit, SourceKind
from streaming.status import SourceStatus
from streaming.symbols import Ticker, is_index

NAME: Final[ChainKind] = "cboe"
_RESTING_S: Final = 300.0
SERVER: Final = Server(
    who="CBOE",
    refused_remedy="Raise CBOE_POLL_SECONDS, or choose another source in GEX_SOURCE, and restart.",
    unknown_remedy="Correct the ticker, or choose another source for it in GEX_SOURCE_MAP, and restart.",
    most_bytes=MOST_UNPACKED,
    within_s=60.0,
)


def feed_symbol(ticker: Ticker) -> str:
    """What the feed calls an underlying: `_SPX` for an index, `SPY` for a share."""
    return f"_{ticker.underlying}" if is_index(ticker.wire) else ticker.underlying


class CboeSource:
    """A `SnapshotSource` of delayed snapshots."""

    name = NAME

    def __init__(
        self,
        tickers: Sequence[Ticker],
        *,
        url: str,
        scope: ScopeName,
        volatility: VolatilityRule = "quotes",
        every_s: float,
        around: Surroundings,
        maps: MapSink,
    ) -> None:
        self._tickers = tuple(ticker for ticker in tickers if ticker.future is None)
        self._futures = tuple(ticker.name for ticker in tickers if ticker.future is not None)
        self._unserved = unserved(tickers)
        self._url = url
        self._engines = partial(EngineHost, self._tickers, scope=scope, volatility=volatility)
        self._pace = Pace(
            every_s=every_s, resting_s=max(every_s, _RESTING_S), first_retry_s=2.0, longest_retry_s=_RESTING_S
        )
        self._around = around
        self._maps = maps
        self._matters = Matters(around.tell)
        self._book = SourceBook(NAME, (ticker.name for ticker in tickers))

    def status(self) -> SourceStatus:
        """One look at it, without waiting for anything."""
        return self._book.status()

    async def run(self, progress: Callable[[], None]) -> None:
        """Poll until cancelled; ConfigurationError when CBOE can serve none of the tickers."""
        if self._unserved is not None:
            self._book.refused(self._unserved, *self._futures)
            if not self._tickers:
                raise self._unserved
            self._matters.tell(NAME, self._unserved.sentence)
        self._book.begins()
        try:
            async with open_client() as client, self._engines() as engine:
                asker = _Asker(client, self._url, engine, self._around.clock)
                poller = Poller(self._tickers, ask=asker.ask, book=self._book, pace=self._pace, around=self._around)
                maps = MapLoop(engine, self._maps, self._around.clock)
                async with asyncio.TaskGroup() as group:
                    group.create_task(poller.run(progress), name="cboe chains")
                    group.create_task(maps.run(), name="cboe maps")
        finally:
            self._book.ends()


async def try_tickers(
    settings: StreamSettings, tickers: Sequence[Ticker], clock: Clock
) -> Mapping[str, GexSnapshot | GexcordError]:
    """One file of each ticker, read and computed as the source would; a ticker's snapshot, or what went wrong."""
    found: dict[str, GexSnapshot | GexcordError] = {}
    async with (
        open_client() as client,
        EngineHost(tickers, scope=settings.gex_scope, volatility=settings.gex_volatility) as engine,
    ):
        asker = _Asker(client, settings.cboe_api_url, engine, clock)
        for ticker in tickers:
            try:
                snapshot = await asker.ask(ticker)
            except GexcordError as error:
                found[ticker.name] = error
            else:
                found[ticker.name] = snapshot or ContractError("CBOE says that nothing has changed, unasked.")
    return found


class _Asker:
    """Downloads a chain if it has changed, and has it computed."""

    def __init__(self, client: httpx.AsyncClient, url: str, engine: EngineHost, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._engine = engine
        self._clock = clock
        self._known: dict[str, Answer] = {}

    async def ask(self, ticker: Ticker) -> GexSnapshot | None:
        known = self._known.get(ticker.name)
        answer = await download(
            self._client,
            f"{self._url}/{feed_symbol(ticker)}.json",
            SERVER,
            about=ticker.name,
            clock=self._clock,
            headers=None if known is None else known.conditions,
            keep_packed=True,  # the engine's process unpacks it, and a tenth of the bytes goes there
        )
        if answer is None:
            return None
        self._known.pop(ticker.name, None)
        snapshot = await self._computed(ticker, answer.body)
        self._known[ticker.name] = replace(answer, body=b"")
        return snapshot

    async def _computed(self, ticker: Ticker, body: bytes) -> GexSnapshot:
        now = self._clock.now()
        try:
            await self._engine.load(ChainDelivery(underlying=ticker.underlying, kind=NAME, payload=body, came_at=now))
            snapshot = await self._engine.compute(ticker.name, now)
        except ContractError as refusal:
            raise ContractError(f"CBOE's chain of {ticker.name}: {refusal}") from refusal
        except EngineError as failure:
            raise ContractError(f"CBOE's chain of {ticker.name} could not be computed ({failure.kind}).") from failure
        if snapshot is None or snapshot.spot is None or not has_figures(snapshot):
            raise ContractError(f"CBOE's chain of {ticker.name} has no figures except spot.")
        return snapshot


def unserved(tickers: Sequence[Ticker]) -> ConfigurationError | None:
    """Said of futures tickers at CBOE, which quotes no futures: there is no live basis (`specs/gex-method.md` §14)."""
    futures = [ticker for ticker in tickers if ticker.future is not None]
    if not futures:
        return None
    names = ", ".join(ticker.name for ticker in futures)
    pairs = ",".join(f"{ticker.name}:schwab" for ticker in futures)
    plain = ", ".join(ticker.underlying for ticker in futures)
    return ConfigurationError(
        f"{names} cannot come from cboe, which quotes no futures.",
        remedy=f"Show {plain} instead, or choose another source in GEX_SOURCE_MAP, such as {pairs}.",
    )


def _build(tickers: Sequence[Ticker], kit: Kit) -> CboeSource:
    settings = kit.settings
    return CboeSource(
        tickers,
        url=settings.cboe_api_url,
        scope=settings.gex_scope,
        volatility=settings.gex_volatility,
        every_s=settings.cboe_poll_seconds,
        around=kit.around(NAME),
        maps=DayMapStore(kit.redis),
    )


KIND: Final = SourceKind(NAME, _build, lambda tickers, _settings: unserved(tickers))
