"""A stream of events into a group of servers of which one dies in the middle, and what became of each event."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.publish.publisher import PublisherStats, TradingEventPublisher
from tests.support.events import book, tick


@dataclass(frozen=True, slots=True)
class Streamed:
    """What was sent, what the streams hold, and the publisher's counters."""

    sent: int
    ticks: list[int]
    books: list[int]
    stats: PublisherStats


class Feeder:
    """Publishes on and on, four ticks to a book."""

    def __init__(self, publisher: TradingEventPublisher, *, per_round: int = 20) -> None:
        self.publisher = publisher
        self.sent = 0
        self._per_round = per_round

    async def until(self, condition: Callable[[], bool], *, within_s: float = 30.0) -> None:
        """Publish until something holds."""
        async with asyncio.timeout(within_s):
            while not condition():
                numbers = range(self.sent, self.sent + self._per_round)
                self.publisher.publish([tick(n) if n % 5 else book(n) for n in numbers])
                self.sent += self._per_round
                await asyncio.sleep(0.01)


async def stream_through(redis: Redis, trouble: Callable[[Feeder], Awaitable[None]]) -> Streamed:
    """Stream under the lease, through some trouble, and on until events are acknowledged again."""
    lease = Lease(redis, keys.STREAM_LEASE, "streamer")
    async with TradingEventPublisher(redis, rng=random.Random(7), close_budget_s=20) as publisher, lease.held():
        with publisher.under(lease):
            feeder = Feeder(publisher)
            await feeder.until(lambda: publisher.stats.published > 300)
            await trouble(feeder)
            before = publisher.stats.published
            await feeder.until(lambda: publisher.stats.published > before + 200)
            async with asyncio.timeout(20):
                while publisher.stats.buffered:
                    await asyncio.sleep(0.01)
    return Streamed(
        feeder.sent, await _seqs(redis, keys.TICKS_STREAM), await _seqs(redis, keys.LEVEL2_STREAM), publisher.stats
    )


def assert_nothing_lost(streamed: Streamed) -> None:
    """Every event once, in order, and all of them acknowledged."""
    assert streamed.ticks == sorted(set(streamed.ticks))
    assert streamed.books == sorted(set(streamed.books))
    assert sorted(streamed.ticks + streamed.books) == list(range(streamed.sent))
    stats = streamed.stats
    assert (stats.published, stats.dropped, stats.rejected, stats.fenced) == (streamed.sent, 0, 0, 0)
    assert stats.unacknowledged == 0


async def _seqs(redis: Redis, stream: str) -> list[int]:
    return [json.loads(fields[b"data"])["seq"] for _, fields in await redis.xrange(stream)]
