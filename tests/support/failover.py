"""Events and a live message on a group of servers of which one dies in the middle, and what became of them."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.feed.ledger import Ledger
from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.publish.publisher import PublisherStats, TradingEventPublisher
from streaming.bus.shared_secret import SecretLook, SharedSecret
from streaming.errors import TransientError
from tests.support.clock import ManualClock
from tests.support.events import book, tick
from tests.support.feed import FakeChannel, Keeper
from tests.support.redis_groups import RedisGroup

_TODAY: Final = date(2026, 8, 20)


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
        feeder.sent, await seqs(redis, keys.TICKS_STREAM), await seqs(redis, keys.LEVEL2_STREAM), publisher.stats
    )


def assert_nothing_lost(streamed: Streamed) -> None:
    """Every event once, in order, and all of them acknowledged."""
    assert streamed.ticks == sorted(set(streamed.ticks))
    assert streamed.books == sorted(set(streamed.books))
    assert sorted(streamed.ticks + streamed.books) == list(range(streamed.sent))
    stats = streamed.stats
    assert (stats.published, stats.dropped, stats.rejected, stats.fenced) == (streamed.sent, 0, 0, 0)
    assert stats.unacknowledged == 0


async def fail_over(group: RedisGroup, feeder: Feeder, dead: asyncio.Event) -> int:
    """The master of the streams and the ledger dies with events that no copy has; which port it was."""
    publisher, master = feeder.publisher, group.master_of(keys.TICKS_STREAM)
    copies = group.cut_off(master)
    await feeder.until(lambda: publisher.stats.buffered > 200)
    errors = publisher.stats.flush_errors
    await asyncio.to_thread(group.fail_over, master, copies)
    dead.set()
    await feeder.until(lambda: publisher.stats.flush_errors > errors)
    return master


async def keep_message(redis: Redis, dead: asyncio.Event) -> FakeChannel:
    """One process keeps a message, through a failover; then another takes over, knowing what Redis kept and no more."""
    channel = FakeChannel()
    for owner in ("first", "second"):
        lease = Lease(redis, keys.FEED_LEASE, owner)
        await _in_the_end(lambda lease=lease: _acquired(redis, lease))
        keeper = Keeper(1, channel, Ledger(redis, lease), ManualClock())
        await _in_the_end(keeper.adopt)
        await _in_the_end(lambda keeper=keeper: _write(keeper, "new", replace=True))
        if owner == "first":
            await dead.wait()
        for text in ("newer", "newest"):
            await _in_the_end(lambda keeper=keeper, text=text: _write(keeper, text, replace=text == "newer"))
        channel.forget_nonces()
    for _ in range(6):
        keeper.clock.advance(400)
        await _in_the_end(keeper.tidy)
    return channel


async def change_secret(redis: Redis, dead: asyncio.Event) -> tuple[int, int]:
    """Change the shared login until no copy has it or its master is dead: the last that counted, and what is found."""
    secret, counted = SharedSecret(redis, keys.LOGIN, about="the Schwab login"), 0
    epoch = await secret.take("a machine", 60_000)
    with suppress(TransientError):
        while not dead.is_set():
            assert await secret.replace(epoch, b"%d" % (counted + 1)), "the turn is somebody else's"
            counted += 1
            await asyncio.sleep(0.01)
    await dead.wait()
    found: list[SecretLook] = []

    async def look() -> None:
        found.append(await secret.look())

    await _in_the_end(look)
    return counted, int(found[-1].sealed)


async def _acquired(redis: Redis, lease: Lease) -> None:
    """Take the lease from whoever had it, as if that one had died."""
    await redis.delete(lease.key)
    if not await lease.acquire():
        raise TransientError("taken")


async def _write(keeper: Keeper, text: str, *, replace: bool) -> None:
    message = keeper.message
    await (message.replace if replace or message.pending else message.show)(text, _TODAY)
    await keeper.tidy()


async def _in_the_end(deed: Callable[[], Awaitable[None]]) -> None:
    """Again and again until it succeeds, as every beat of the feed does."""
    async with asyncio.timeout(20):
        while True:
            with suppress(TransientError, RedisError):
                return await deed()
            await asyncio.sleep(0.05)


async def seqs(redis: Redis, stream: str) -> list[int]:
    """The numbers of a stream's events, in its order."""
    return [json.loads(fields[b"data"])["seq"] for _, fields in await redis.xrange(stream)]
