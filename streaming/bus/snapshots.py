"""Snapshots in Redis: the latest of each ticker, today's history, and every new one as it comes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus import history, keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.connection import answering
from streaming.bus.history import SnapshotHistory
from streaming.bus.slots import SnapshotSlots
from streaming.bus.subscription import messages
from streaming.bus.turns import Turns
from streaming.clock import Clock, SystemClock, epoch_ms
from streaming.errors import ContractError, TransientError
from streaming.model import GexSnapshot
from streaming.past import PastLevels, decode_past
from streaming.sources.classic import parse_snapshot

log = logging.getLogger(__name__)

LATEST_TTL_S: Final = 86_400
_SUBSCRIBE_S: Final = 2.0
_DECODED_AT_ONCE: Final = 16
"""Snapshots of a history between two turns of the loop: half a millisecond."""


class SnapshotStore:
    """A `SnapshotSink` and a `SnapshotReader`; what it reads may come from any producer of the classic shape."""

    def __init__(
        self,
        redis: Redis,
        *,
        clock: Clock | None = None,
        latest_ttl_s: int = LATEST_TTL_S,
        history_cap: int = history.CAP,
        history_spacing_s: float = history.SPACING_S,
    ) -> None:
        self._redis = redis
        self._clock = clock or SystemClock()
        self._latest_ttl_s = latest_ttl_s
        self._history = SnapshotHistory(redis, cap=history_cap, spacing_s=history_spacing_s)
        self._reading_past = asyncio.Lock()
        self._turns = Turns()
        self.rejected = 0
        """Unusable snapshots met since the start."""
        self.last_rejection: str | None = None

    async def put(self, snapshot: GexSnapshot) -> None:
        """Store as latest, announce, append to today's history; TransientError when Redis is away."""
        payload = encode_snapshot(snapshot)
        async with answering(f"storing the snapshot of {snapshot.ticker}"):
            await self._history.recall(snapshot)
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(keys.snapshot(snapshot.ticker), payload, ex=self._latest_ttl_s)
                pipeline.publish(keys.SNAPSHOT_STREAM, payload)
                kept = self._history.queue(pipeline, snapshot)
                await pipeline.execute()
        self._history.kept(snapshot, kept)

    async def latest(self, ticker: str) -> GexSnapshot | None:
        """The newest usable snapshot, or None; TransientError when Redis is away.

        Other producers may write a futures ticker under its short name: NQ_NDX is also looked for as NQ.
        """
        names = dict.fromkeys((ticker, ticker.partition("_")[0]))
        async with answering(f"reading the snapshot of {ticker}"):
            payloads = await self._redis.mget([keys.snapshot(name) for name in names])
        async with self._turns.one():
            found = [snapshot for payload in payloads if payload and (snapshot := self._parse(payload)) is not None]
        return max((snapshot for snapshot in found if snapshot.ticker == ticker), key=_age_key, default=None)

    async def history(self, ticker: str, *, minutes: float) -> Sequence[GexSnapshot]:
        """Snapshots of the newest day, oldest first, from `minutes` before the newest one on.

        Of what is played from a recording while the latest snapshot is, else of what was live.
        TransientError when Redis is away.
        """
        async with answering(f"reading the history of {ticker}"):
            payloads = await self._history.since(await self._history_key(ticker), minutes=minutes)
        parsed = (self._parse(payload) for payload in payloads)
        return [snapshot for snapshot in parsed if snapshot is not None]

    async def past(self, latest: GexSnapshot, *, minutes: float, most: int, strikes: bool) -> Sequence[PastLevels]:
        """Of the history that `latest` belongs to at most `most`, evenly spread, and only what a picture needs.

        The others are not even read. Decoded a few at a time, one reader after another, so that the loop goes on.
        TransientError when Redis is away, ContractError for what no program of ours wrote.
        """
        found: list[PastLevels] = []
        async with self._reading_past:
            async with answering(f"reading the history of {latest.ticker}"):
                payloads = await self._history.samples(history.history_key(latest), minutes=minutes, most=most)
            for start in range(0, len(payloads), _DECODED_AT_ONCE):
                some = payloads[start : start + _DECODED_AT_ONCE]
                async with self._turns.one():
                    found += [decode_past(payload, strikes=strikes) for payload in some]
        return found

    async def _history_key(self, ticker: str) -> str:
        latest = await self.latest(ticker)
        return keys.history(ticker) if latest is None else history.history_key(latest)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[AsyncIterator[GexSnapshot]]:
        """Every new usable snapshot, through restarts of Redis; a slow reader gets the newest of each ticker."""
        slots = SnapshotSlots()
        subscribed = asyncio.Event()
        reading = asyncio.create_task(self._read_into(slots, subscribed), name="snapshot-listener")
        reading.add_done_callback(slots.end)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SUBSCRIBE_S):
                    await subscribed.wait()
            yield slots
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read_into(self, slots: SnapshotSlots, subscribed: asyncio.Event) -> None:
        async def catch_up() -> None:
            subscribed.set()
            await self._catch_up(slots)

        async with aclosing(messages(self._redis, keys.SNAPSHOT_STREAM, on_subscribed=catch_up)) as payloads:
            async for payload in payloads:
                snapshot = self._parse(payload)
                if snapshot is not None:
                    slots.offer(snapshot)

    async def _catch_up(self, slots: SnapshotSlots) -> None:
        """After a gap: what was stored meanwhile for the tickers already seen."""
        for ticker, seen in slots.seen.items():
            try:
                snapshot = await self.latest(ticker)
            except TransientError as error:
                log.warning("%s", error)
                return
            if snapshot is not None and _age_key(snapshot) > seen:
                slots.offer(snapshot)

    def _parse(self, payload: Any) -> GexSnapshot | None:
        try:
            return parse_snapshot(payload, received_ms=epoch_ms(self._clock.now()))
        except ContractError as error:
            self.rejected += 1
            self.last_rejection = error.sentence
            if self.rejected.bit_count() == 1:  # the 1st, 2nd, 4th, 8th ... so that a bad producer cannot fill the log
                log.warning("%s %d unusable snapshots so far.", error, self.rejected)
            return None


def _age_key(snapshot: GexSnapshot) -> tuple[int, int]:
    return snapshot.asof_ms, snapshot.seq
