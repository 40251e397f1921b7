"""Snapshots in Redis: the latest of each ticker, today's history, and every new one as it comes."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from typing import Any, Final

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.mishaps import Mishaps
from streaming.bus.redis_connection import answering
from streaming.bus.snapshots import snapshot_history as history
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.bus.snapshots.history_entry import market_day, outranks
from streaming.bus.snapshots.intake import SnapshotIntake
from streaming.bus.snapshots.proven_days import ProvenDays
from streaming.bus.snapshots.replays import ReplayPlayers
from streaming.bus.snapshots.slots import SnapshotSlots
from streaming.bus.snapshots.snapshot_history import SnapshotHistory
from streaming.bus.snapshots.thinning import DEFAULT_MB
from streaming.bus.subscription import messages
from streaming.clock import Clock, SystemClock, epoch_ms
from streaming.errors import ContractError, TransientError
from streaming.model import GexSnapshot
from streaming.past import PastLevels, decode_past
from streaming.ports import SnapshotReader

log = logging.getLogger(__name__)

LATEST_TTL_S: Final = 86_400
_SUBSCRIBE_S: Final = 2.0
_DECODED_AT_ONCE: Final = 16
"""Snapshots of a history between two turns of the loop: half a millisecond."""
Wanted = Callable[[str], bool]
"""Whether a reader cares about a ticker."""


def _everything(ticker: str) -> bool:
    return bool(ticker)


class SnapshotStore:
    """A `SnapshotSink` and a `SnapshotReader`; what it reads may come from any producer of the classic shape.

    What cannot be used is counted and left out, whatever is wrong with it; so is an older day where a newer one is.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        clock: Clock | None = None,
        intake: SnapshotIntake | None = None,
        history_mb: float = DEFAULT_MB,
        history_cap: int = history.CAP,
        history_spacing_s: float = history.SPACING_S,
    ) -> None:
        """`intake` is shared by all readers of a process."""
        self._redis = redis
        self._clock = clock or SystemClock()
        self.intake = intake or SnapshotIntake()
        self._history = SnapshotHistory(redis, megabytes=history_mb, cap=history_cap, spacing_s=history_spacing_s)
        self._proven = ProvenDays(redis)
        self._players = ReplayPlayers(redis, self._clock)
        self._days = NewestDays()
        self._reading_past = asyncio.Lock()
        self._one_at_a_time = OneAtATime()
        self._unusable = Mishaps("The reader of snapshots")
        self.outdated = 0
        """Snapshots of an older day than the one that was there, written or read."""

    @property
    def rejected(self) -> int:
        """Unusable snapshots met since the start."""
        return self._unusable.count

    @property
    def last_rejection(self) -> str | None:
        """What was wrong with the last of them."""
        return self._unusable.last

    def only(self, wanted: Wanted) -> SnapshotReader:
        """The same for a reader of some tickers: no other ones take up its slots."""
        return _ChosenSnapshots(self, wanted)

    async def put(self, snapshot: GexSnapshot) -> None:
        """Store as latest, announce, append to today's history; TransientError when Redis is away.

        Nothing of that for a snapshot of an older day than the history holds of today: it is counted in `outdated`.
        """
        payload = encode_snapshot(snapshot)
        async with answering(f"storing the snapshot of {snapshot.ticker}"):
            await self._history.recall(snapshot)
            if not self._history.admits(snapshot, now_ms=self._now_ms):
                self._leave_out(snapshot)
                return
            async with self._redis.pipeline(transaction=False) as pipeline:
                pipeline.set(keys.snapshot(snapshot.ticker), payload, ex=LATEST_TTL_S)
                pipeline.publish(keys.SNAPSHOT_STREAM, payload)
                kept = self._history.queue(pipeline, snapshot)
                proven = self._proven.queue(pipeline, snapshot, now_ms=self._now_ms)
                answers = await pipeline.execute()
        self._history.kept(snapshot, kept, answers)
        self._proven.noted(snapshot, proven)
        await self._history.thin(snapshot)

    async def latest(self, ticker: str) -> GexSnapshot | None:
        """The newest usable snapshot, or None; TransientError when Redis is away.

        Other producers may write a futures ticker under its short name: NQ_NDX is also looked for as NQ. Where one of
        them wrote an older day over today's, it is the last of today's history.
        """
        names = dict.fromkeys((ticker, ticker.partition("_")[0]))
        reading = answering(f"reading the snapshot of {ticker}")
        async with reading, self._redis.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.get(keys.snapshot(name))
            payloads: list[Any] = await pipeline.execute()
        async with self._one_at_a_time.one():
            read = [await self._read(payload) for payload in payloads if payload]
        stored = [snapshot for snapshot in read if snapshot is not None and snapshot.ticker == ticker]
        found = await self._newest_day(max(stored, key=_age_key)) if stored else None
        if found is not None:
            self._days.admit(found, now_ms=self._now_ms)
        return found

    async def _newest_day(self, latest: GexSnapshot) -> GexSnapshot:
        day = market_day(latest.asof_ms)
        if latest.replay is not None or day >= market_day(self._now_ms):
            return latest
        async with answering(f"reading the history of {latest.ticker}"):
            newest = await self._history.newest(keys.history(latest.ticker))
        if newest is None or outranks(day, newest.day, now_ms=self._now_ms, computed_ms=latest.computed_ms):
            return latest
        kept = await self._read(newest.payload) if newest.day != day else None
        return latest if kept is None else kept

    async def history(self, ticker: str, *, minutes: float) -> Sequence[GexSnapshot]:
        """Snapshots of the newest day, oldest first, from `minutes` before the newest one on.

        Of what is played from a recording while the latest snapshot is, else of what was live.
        TransientError when Redis is away.
        """
        async with answering(f"reading the history of {ticker}"):
            payloads = await self._history.since(await self._history_key(ticker), minutes=minutes)
        parsed = [self._parse(payload) for payload in payloads]
        return [await self._players.judged(snapshot) for snapshot in parsed if snapshot is not None]

    async def past(self, latest: GexSnapshot, *, minutes: float, most: int, strikes: bool) -> Sequence[PastLevels]:
        """Of the history that `latest` belongs to at most `most`, evenly spread, and only what a picture needs.

        The others are not even read. Decoded a few at a time, one reader after another, so that the loop goes on.
        TransientError when Redis is away.
        """
        found: list[PastLevels] = []
        async with self._reading_past:
            async with answering(f"reading the history of {latest.ticker}"):
                payloads = await self._history.samples(history.history_key(latest), minutes=minutes, most=most)
            for start in range(0, len(payloads), _DECODED_AT_ONCE):
                async with self._one_at_a_time.one():
                    for payload in payloads[start : start + _DECODED_AT_ONCE]:
                        with self._unusable.skipping(payload):
                            found.append(decode_past(payload, strikes=strikes))
        return found

    async def _history_key(self, ticker: str) -> str:
        latest = await self.latest(ticker)
        return keys.history(ticker) if latest is None else history.history_key(latest)

    @asynccontextmanager
    async def listen(self, wanted: Wanted = _everything) -> AsyncIterator[AsyncIterator[GexSnapshot]]:
        """Every new usable snapshot, through restarts of Redis; a slow reader gets the newest of each ticker."""
        slots = SnapshotSlots()
        subscribed = asyncio.Event()
        reading = asyncio.create_task(self._read_into(slots, subscribed, wanted), name="snapshot-listener")
        reading.add_done_callback(slots.end)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SUBSCRIBE_S):
                    await subscribed.wait()
            yield slots
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _read_into(self, slots: SnapshotSlots, subscribed: asyncio.Event, wanted: Wanted) -> None:
        async def catch_up() -> None:
            subscribed.set()
            await self._catch_up(slots)

        async with aclosing(messages(self._redis, keys.SNAPSHOT_STREAM, on_subscribed=catch_up)) as payloads:
            async for payload in payloads:
                snapshot = await self._read(payload)
                if snapshot is None or not wanted(snapshot.ticker):
                    continue
                if self._days.admit(snapshot, now_ms=self._now_ms):
                    slots.offer(snapshot)
                else:
                    self._leave_out(snapshot)

    async def _catch_up(self, slots: SnapshotSlots) -> None:
        """After a gap: what was stored meanwhile for the tickers already seen."""
        for ticker, seen in list(slots.seen.items()):
            try:
                snapshot = await self.latest(ticker)
            except TransientError as error:
                log.warning("%s", error)
                return
            if snapshot is not None and _age_key(snapshot) > seen:
                slots.offer(snapshot)

    @property
    def _now_ms(self) -> int:
        return epoch_ms(self._clock.now())

    async def _read(self, payload: bytes) -> GexSnapshot | None:
        """A snapshot with its replay's mark judged; None, counted, for what is none."""
        try:
            return await self._players.judged(await self.intake.read(payload, received_ms=self._now_ms))
        except ContractError as error:
            self._unusable.note(error, payload)
            return None

    def _parse(self, payload: bytes) -> GexSnapshot | None:
        with self._unusable.skipping(payload):
            return parse_snapshot(payload, received_ms=self._now_ms)
        return None

    def _leave_out(self, snapshot: GexSnapshot) -> None:
        self.outdated += 1
        if self.outdated.bit_count() == 1:
            words = "%s sends %s of %s, an older day than is there or one that has not come: left out, %d so far."
            log.warning(words, snapshot.source, snapshot.ticker, market_day(snapshot.asof_ms), self.outdated)


class _ChosenSnapshots:
    """A `SnapshotReader` that hears only of some tickers."""

    def __init__(self, store: SnapshotStore, wanted: Wanted) -> None:
        self._wanted = wanted
        self._store = store
        self.latest = store.latest
        self.history = store.history
        self.past = store.past

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[GexSnapshot]]:
        return self._store.listen(self._wanted)


def _age_key(snapshot: GexSnapshot) -> tuple[int, int]:
    return snapshot.asof_ms, snapshot.seq


class OneAtATime:
    """Ten answers that arrive together are taken apart in ten turns, so that timers come in between."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait for a turn that nobody else has, and keep it until the loop has gone round."""
        async with self._lock:
            try:
                yield
            finally:
                await asyncio.sleep(0)


_MOST: Final = 256


class NewestDays:
    """Remembers the day last shown of each ticker."""

    def __init__(self) -> None:
        self._days: OrderedDict[str, str] = OrderedDict()

    def admit(self, snapshot: GexSnapshot, *, now_ms: int) -> bool:
        """Whether to show a snapshot; a replay that its operator plays goes through time as it likes."""
        if snapshot.replay is not None and snapshot.replay.rules:
            return True
        day, held = market_day(snapshot.asof_ms), self._days.get(snapshot.ticker)
        if held not in {None, day} and not outranks(day, held or "", now_ms=now_ms, computed_ms=snapshot.computed_ms):
            return False
        self._days[snapshot.ticker] = day
        self._days.move_to_end(snapshot.ticker)
        if len(self._days) > _MOST:
            self._days.popitem(last=False)
        return True
