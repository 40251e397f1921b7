"""A replay writes the keys that live producers write: it steps back from one that is there, or that comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.mishaps import Mishaps
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.bus.snapshots.slots import MAX_TICKERS
from streaming.bus.subscription import messages
from streaming.clock import Clock, epoch_ms
from streaming.errors import UNREADABLE, RequestError
from streaming.model import GexSnapshot
from streaming.ports import SnapshotReader

NAME: Final = "replay"
"""What a replay calls itself as a source."""
FRESH_S: Final = 30.0


class _Head(msgspec.Struct, frozen=True):
    """What tells a replay's own payloads from others', without reading the rest."""

    replay: msgspec.Raw = msgspec.Raw(b"null")


_HEAD: Final = msgspec.json.Decoder(_Head)


class StillFreshError(RequestError):
    """A snapshot is so young that its producer may live; nobody was heard since. In `left_s` it tells of nobody."""

    def __init__(self, snapshot: GexSnapshot, left_s: float, *, remedy: str) -> None:
        super().__init__(_taken(snapshot.source, snapshot.ticker), remedy=remedy)
        self.left_s = left_s
        self.hope = (
            f"The last snapshot of {snapshot.ticker} by {snapshot.source[:40]} is {FRESH_S - left_s:.0f} s old. "
            f"The replay begins in {left_s:.0f} s unless another one comes."
        )
        """What to say while waiting."""


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
        """RequestError when live data goes into this Redis; TransientError when it does not answer.

        StillFreshError when only what a producer left tells of it.
        """
        if self._streams:
            holder = await Lease(self._redis, keys.STREAM_LEASE, "").holder()
            if holder is not None:
                raise RequestError(f"{holder} streams live data into this Redis.", remedy=self._remedy)
        for ticker in tickers:
            if ticker in self._heard:
                raise RequestError(_taken(self._heard[ticker], ticker), remedy=self._remedy)
            snapshot = await self._snapshots.latest(ticker)
            if snapshot is not None and (left_s := self._fresh_for_s(snapshot)) > 0.0:
                raise StillFreshError(snapshot, left_s, remedy=self._remedy)

    async def make_room(self, *tickers: str, say: Callable[[str], None]) -> None:
        """As `look`, but wait for what a stopped producer left, and say how long."""
        while True:
            try:
                await self.look(*tickers)
            except StillFreshError as error:
                say(error.hope)
                await self._clock.sleep(error.left_s)
            else:
                return

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

    def _fresh_for_s(self, snapshot: GexSnapshot) -> float:
        """How long it still tells of somebody: by its quotes, or of our own shape by when it was computed."""
        if snapshot.replay is not None:
            return 0.0
        newest_ms = max(snapshot.asof_ms, snapshot.computed_ms if snapshot.scopes else 0)
        age_s = (epoch_ms(self._clock.now()) - newest_ms) / 1000
        return FRESH_S - age_s if abs(age_s) < FRESH_S else 0.0


def _taken(source: str, ticker: str) -> str:
    return f"{source[:40]} publishes live snapshots of {ticker} into this Redis."


def _is_played(payload: bytes) -> bool:
    try:
        return bytes(_HEAD.decode(payload).replay) != b"null"
    except UNREADABLE:
        return False
