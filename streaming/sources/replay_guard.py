"""A replay writes the keys that live producers write: it steps back from one that is there, or that comes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import UNREADABLE
from streaming.bus.lease import Lease
from streaming.bus.mishaps import Mishaps
from streaming.bus.slots import MAX_TICKERS
from streaming.bus.subscription import messages
from streaming.clock import Clock, epoch_ms
from streaming.errors import RequestError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotReader
from streaming.sources.classic import parse_snapshot

FRESH_S: Final = 30.0


class _Head(msgspec.Struct, frozen=True):
    """What tells a replay's own payloads from others', without reading the rest."""

    replay: msgspec.Raw = msgspec.Raw(b"null")


_HEAD: Final = msgspec.json.Decoder(_Head)


class ReplayGuard:
    """Looks for live producers; `remedy` is what a person can do about one."""

    def __init__(
        self, redis: Redis, snapshots: SnapshotReader, clock: Clock, *, remedy: str, streams: bool = True
    ) -> None:
        """`streams` false: a stream without snapshots of the same ticker does not matter."""
        self._redis = redis
        self._snapshots = snapshots
        self._clock = clock
        self._remedy = remedy
        self._streams = streams
        self._heard: dict[str, str] = {}
        self._unusable = Mishaps("A replay's look-out for other producers")

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear meanwhile what others publish; a stored snapshot that the replay overwrote tells of nobody."""
        self._heard.clear()
        hearing = asyncio.create_task(self._hear(), name="replay: other producers")
        try:
            yield
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})

    async def look(self, *tickers: str) -> None:
        """RequestError when live data goes into this Redis; TransientError when it does not answer."""
        if self._streams:
            holder = await Lease(self._redis, keys.STREAM_LEASE, "").holder()
            if holder is not None:
                raise RequestError(f"{holder} streams live data into this Redis.", remedy=self._remedy)
        for ticker in tickers:
            if ticker in self._heard:
                raise self._taken(self._heard[ticker], ticker)
            snapshot = await self._snapshots.latest(ticker)
            if snapshot is not None and self._is_live(snapshot):
                raise self._taken(snapshot.source, ticker)

    async def _hear(self) -> None:
        async with aclosing(messages(self._redis, keys.SNAPSHOT_STREAM)) as payloads:
            async for payload in payloads:
                if not _is_played(payload):
                    self._note(payload)

    def _note(self, payload: bytes) -> None:
        with self._unusable.skipping(payload):
            snapshot = parse_snapshot(payload, received_ms=epoch_ms(self._clock.now()))
            if snapshot.replay is None and len(self._heard) < MAX_TICKERS:
                self._heard[snapshot.ticker] = snapshot.source

    def _taken(self, source: str, ticker: str) -> RequestError:
        return RequestError(f"{source} publishes live snapshots of {ticker} into this Redis.", remedy=self._remedy)

    def _is_live(self, snapshot: GexSnapshot) -> bool:
        """Whether somebody made it just now: by its quotes, or of our own shape by when it was computed."""
        if snapshot.replay is not None:
            return False
        newest_ms = max(snapshot.asof_ms, snapshot.computed_ms if snapshot.scopes else 0)
        return abs(epoch_ms(self._clock.now()) - newest_ms) < FRESH_S * 1000


def _is_played(payload: bytes) -> bool:
    try:
        return bytes(_HEAD.decode(payload).replay) != b"null"
    except UNREADABLE:
        return False
