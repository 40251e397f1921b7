"""Market events to Redis: in order, in natural batches, through outages, within a stated bound.

One flush is in flight at a time and takes everything that came in meanwhile, at most `BATCH_EVENTS`. Promises
and their limits are in specs/redis-contract.md, "Delivery".
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Final, Self, cast

import msgspec
from redis.asyncio import Redis

from streaming.bus.codec import encode_event
from streaming.bus.events import KINDS, NUMBER_OF
from streaming.bus.lease import Fence, LeaseLostError
from streaming.bus.publish.buffer import EventBuffer
from streaming.bus.publish.lanes import delivery_for
from streaming.bus.publish.stream_budget import DEFAULT_MB, StreamBudget
from streaming.errors import TransientError
from streaming.ports import StreamEvent
from streaming.process.backoff import Backoff
from streaming.setting_values import EVENTS

log = logging.getLogger(__name__)

BATCH_EVENTS: Final = 2048
BATCH_BYTES: Final = 4 << 20
"""More than the reader brings in between two flushes, so that what waits at full load gets less, not more."""
BUFFER_EVENTS: Final = 200_000
BUFFER_BYTES: Final = 64 << 20
FLUSH_S: Final = 5.0
CLOSE_S: Final = 3.0
_ASK_AGAIN_S: Final = 0.1
ROOM_EVENTS: Final = BATCH_EVENTS
ROOM_BYTES: Final = BATCH_BYTES
"""More than this need not wait here: as long as Redis takes events, the next ones may as well wait in the network."""
ROOM_S: Final = 0.25
"""A server that has taken nothing for so long is waited for no more: events come in, and wait here."""
ROOMLESS_S: Final = 10.0
"""Nor is one that cannot keep up: Schwab takes leave of a client that lets it wait."""


class PublisherStats(msgspec.Struct, frozen=True, kw_only=True):
    """The publisher's counters since it was made."""

    connected: bool
    buffered: int
    """Events not acknowledged yet, the batch in flight among them."""
    buffered_bytes: int
    """The size of those not in flight."""
    published: int
    """Events acknowledged by Redis."""
    dropped: int
    """Given up: overflow (ticks and books) and what was left at close."""
    dropped_ticks: int
    dropped_books: int
    """Candles among them."""
    fenced: int
    """Withheld because another process had taken over the stream."""
    rejected: int
    """Refused by Redis for good (wrong type of key, no permission, no such command)."""
    unacknowledged: int
    """Of those published, in a Cluster or behind Sentinel: what no copy is known to have."""
    resent: int
    """Published again after a lost connection; subscribers may have had some of them already."""
    flush_errors: int
    reconnects: int
    last_error: str | None
    """Why the last flush failed; None once one has succeeded."""


class TradingEventPublisher:
    """An `EventSink` on Redis; an async context manager whose `publish` is called from the loop's thread.

    Events of other `kinds` are left out. The streams beside the channels take `streams_mb` together; with None events
    are only announced. A failure of its own task, which can
    only be a bug, ends the body of the `async with` instead of staying silent.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        rng: random.Random | None = None,
        kinds: Collection[str] = EVENTS,
        streams_mb: float | None = DEFAULT_MB,
        max_events: int = BUFFER_EVENTS,
        max_bytes: int = BUFFER_BYTES,
        flush_timeout_s: float = FLUSH_S,
        close_budget_s: float = CLOSE_S,
    ) -> None:
        self._buffer = EventBuffer(max_events=max_events, max_bytes=max_bytes)
        self._numbers = {record: number for record, number in NUMBER_OF.items() if KINDS[number].name in kinds}
        budget = None if streams_mb is None else StreamBudget(streams_mb, kinds=self._numbers.values())
        self._delivery = delivery_for(redis, budget=budget, answer_s=flush_timeout_s)
        self._backoff = Backoff(rng or random.Random())
        self._close_budget_s = close_budget_s
        self._group = asyncio.TaskGroup()
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._taken = asyncio.Event()
        """Redis has taken a batch since it was last asked whether there is room."""
        self._stuck = False
        self._full_since_s: float | None = None
        self._overflowing = False
        self._dropped_told = 0
        self._left_at_close = 0
        self._flush_errors = 0
        self._last_error: str | None = None

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._task = self._group.create_task(self._run(), name="event-publisher")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._drain()
        finally:
            if self._task is not None:
                self._task.cancel()
            cancelled = kind is asyncio.CancelledError  # the group tells its own cancellation from others
            await self._group.__aexit__(*((kind, error, trace) if cancelled else (None, None, None)))

    async def _drain(self) -> None:
        """Give Redis the time that is left to take what is waiting."""
        if self._task is not None and not self._task.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._close_budget_s):
                    await self._idle.wait()
        self._left_at_close = self._waiting
        if self._left_at_close:
            log.error("%d market events were not delivered to Redis before the end.", self._left_at_close)

    @property
    def _waiting(self) -> int:
        return len(self._buffer) + self._delivery.waiting

    def publish(self, events: Sequence[StreamEvent]) -> None:
        """Accept events in order; never waits, never raises for Redis's sake. Option quotes are the engines' alone."""
        numbers, encode = self._numbers, cast("Callable[[StreamEvent], bytes]", encode_event)
        entries = [
            (place, numbers[kind], encode(event))
            for place, event in enumerate(events, self._buffer.next_place)
            if (kind := type(event)) in numbers
        ]
        if entries:
            self._buffer.add(entries)
            self._idle.clear()
            self._wake.set()
        if self._buffer.dropped > self._dropped_told and not self._overflowing:
            self._overflowing = True
            log.error("The event buffer is full: the oldest ticks are given up until Redis takes events again.")

    async def room(self) -> None:
        """Wait while a batch of events waits for Redis and Redis takes events; not for one that takes none or too few.

        What sends events faster than Redis takes them for a moment is slowed down then, and nothing is given up.
        """
        if self._has_room():
            self._full_since_s = None
            return
        now_s = asyncio.get_running_loop().time()
        if self._full_since_s is None:
            self._full_since_s = now_s
        until_s = self._full_since_s + ROOMLESS_S
        while not self._has_room() and not self._stuck and asyncio.get_running_loop().time() < until_s:
            self._taken.clear()
            try:
                async with asyncio.timeout(ROOM_S):
                    await self._taken.wait()
            except TimeoutError:
                self._stuck = True

    def _has_room(self) -> bool:
        return len(self._buffer) <= ROOM_EVENTS and self._buffer.size_bytes <= ROOM_BYTES

    @contextmanager
    def under(self, lease: Fence) -> Iterator[None]:
        """Publish only while the lease is ours: what waits when another process has it is withheld and counted."""
        self._delivery.put_up(lease)
        try:
            yield
        finally:
            if lease.epoch == 0:
                self._withhold()
            self._delivery.put_up(None)

    @property
    def stats(self) -> PublisherStats:
        """The counters now."""
        buffer, delivery = self._buffer, self._delivery
        return PublisherStats(
            connected=delivery.connected,
            buffered=self._waiting,
            buffered_bytes=buffer.size_bytes,
            published=delivery.delivered,
            dropped=buffer.dropped + self._left_at_close,
            dropped_ticks=buffer.dropped_ticks,
            dropped_books=buffer.dropped_books,
            fenced=delivery.fenced,
            rejected=delivery.rejected,
            unacknowledged=delivery.unacknowledged,
            resent=delivery.resent,
            flush_errors=self._flush_errors,
            reconnects=max(delivery.connects - 1, 0),
            last_error=self._last_error,
        )

    async def _run(self) -> None:
        try:
            while True:
                await self._something_to_do()
                self._wake.clear()
                await self._empty_buffer()
                if not self._waiting:
                    self._idle.set()
        finally:
            await self._delivery.disconnect()

    async def _something_to_do(self) -> None:
        """New events, or it is time to ask again for copies of those that were sent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_ASK_AGAIN_S if self._delivery.held else None):
                await self._wake.wait()

    async def _empty_buffer(self) -> None:
        delivery = self._delivery
        asking = bool(delivery.held)
        while self._buffer or delivery.pending or asking:
            asking = False
            if not delivery.pending:
                delivery.pending = self._buffer.take(max_events=BATCH_EVENTS, max_bytes=BATCH_BYTES)
            try:
                await delivery.flush()
            except LeaseLostError:
                self._withhold()
            except TransientError as error:
                await self._stand_back(error)
            else:
                self._succeeded()

    def _withhold(self) -> None:
        """Give up everything that waits: the new holder of the lease has published those moments."""
        delivery = self._delivery
        known = delivery.fenced
        delivery.give_up()
        while self._buffer:
            delivery.pending = self._buffer.take(max_events=BATCH_EVENTS, max_bytes=BATCH_BYTES)
            delivery.give_up()
        if delivery.fenced > known:
            log.warning("%d market events are withheld: another process is streaming now.", delivery.fenced - known)

    async def _stand_back(self, error: TransientError) -> None:
        """Drop the connection, say so once per outage, and wait before the next attempt."""
        self._flush_errors += 1
        self._stuck = True
        self._taken.set()
        if self._last_error is None:
            log.warning("%s Market events are kept until it takes them.", error)
        self._last_error = str(error)
        await self._delivery.disconnect()
        await asyncio.sleep(self._backoff.next_s())

    def _succeeded(self) -> None:
        self._backoff.reset()
        self._stuck = False
        self._taken.set()
        if self._last_error is not None or (self._overflowing and not self._buffer):
            log.warning(
                "Redis takes market events: %d are waiting, %d were given up since the start.",
                len(self._buffer),
                self._buffer.dropped,
            )
            self._overflowing, self._dropped_told = False, self._buffer.dropped
        self._last_error = None
