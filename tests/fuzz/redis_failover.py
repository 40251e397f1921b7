"""Redis's master dies again and again under two bots and a stream: no event acknowledged is lost, no message is twice.

`python -m tests.fuzz.redis_failover sentinel|cluster [ROUNDS [SEED]]` prints a line for each round; exit status 1 when
something was not as it must be. Servers find out by themselves that one is gone; it comes back as a copy. In every
fourth round it only stands still, and comes back believing that it is the master. In two of three rounds the bot that
leads is killed around that moment, so that the other one knows only what Redis kept.
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streaming.bus import keys
from streaming.bus.lease import Lease
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import make_client, open_redis
from tests.fuzz.feed_storm import Storm, StormBot, metrics_key, open_storm
from tests.fuzz.storm_schedule import Schedule
from tests.support.failover import Feeder, seqs
from tests.support.redis_groups import RedisGroup, cluster_group, sentinel_group

CHANNELS: Final = 8
DOWN_MS: Final = 2_000
LOOK_AFTER_S: Final = 14.0
_PROMOTED_WITHIN_S: Final = 30.0
_GROUPS: Final = {"sentinel": sentinel_group, "cluster": cluster_group}
_STORE: Final = {"sentinel": 1, "cluster": 3}
"""How many masters there are when all is well."""


async def play(kind: str, rounds: int, seed: int, folder: Path) -> list[str]:
    """What was not as it must be, a sentence each."""
    rng = random.Random(seed)
    wrong: list[str] = []
    (folder / "servers").mkdir()
    schedule = Schedule(seed, CHANNELS, 2, True, 0.0, 0.0, ())
    with _GROUPS[kind](folder / "servers", down_ms=DOWN_MS) as group:
        async with open_storm(schedule, folder, REDIS_URL=group.url) as storm, open_redis(group.url) as redis:
            publishing = asyncio.create_task(_publish(storm, group.url), name="snapshots")
            over = asyncio.Event()
            streaming = asyncio.create_task(_stream(redis, over), name="events")
            keeping = [asyncio.create_task(bot.keep(), name=f"keeper of bot {bot.number}") for bot in storm.bots]
            try:
                for bot in storm.bots:
                    await bot.start()
                await storm.stand()
                for number in range(rounds):
                    found = await _round(storm, group, kind, rng, kill=number % 3 != 2, freeze=number % 4 == 3)
                    _say(f"round {number + 1}: {'; '.join(found) or 'one message in each channel'}")
                    wrong += found
            finally:
                for task in (publishing, *keeping):
                    task.cancel()
                over.set()
                lost, *_ = await asyncio.gather(streaming, publishing, *keeping, return_exceptions=True)
    return wrong + storm.protocol.incidents + ([] if lost is None else [repr(lost)])


async def _round(
    storm: Storm, group: RedisGroup, kind: str, rng: random.Random, *, kill: bool, freeze: bool
) -> list[str]:
    """Stop the master of the ledger, perhaps the leading bot too, and look at the channels some seconds later."""
    leader = await _leader(storm, group.url)
    master = group.master_of(keys.FEED_LEDGER)
    began_s = time.monotonic()
    if freeze:
        group.processes[master].send_signal(signal.SIGSTOP)
    else:
        await asyncio.to_thread(group.kill, master)
    if kill:
        await asyncio.sleep(rng.uniform(0.0, DOWN_MS / 1000 + 2.0))
        await leader.kill()
    await _until_promoted(group, kind)
    promoted_s = time.monotonic() - began_s
    if freeze:
        group.processes[master].send_signal(signal.SIGCONT)
    else:
        group.start(master)
    if kill:
        await leader.start()
    await asyncio.sleep(LOOK_AFTER_S)
    how = f"the master {'frozen' if freeze else 'killed'}, the leader {'killed' if kill else 'left alone'}"
    _say(f"  {how}, another promoted after {promoted_s:.1f} s")
    return storm.astray()


async def _until_promoted(group: RedisGroup, kind: str) -> None:
    async with asyncio.timeout(_PROMOTED_WITHIN_S):
        while len(await asyncio.to_thread(group.masters)) < _STORE[kind]:
            await asyncio.sleep(0.1)
    if kind == "sentinel":
        await asyncio.sleep(3.0)  # until the sentinels are done: a master that is back before is followed again


async def _leader(storm: Storm, url: str) -> StormBot:
    """The one whose telemetry grows."""
    client = make_client(url)
    try:
        async with asyncio.timeout(60):
            while True:
                seen = {bot.number: await _written_at(client, bot) for bot in storm.bots}
                await asyncio.sleep(1.3)
                for bot in storm.bots:
                    if bot.runs and seen[bot.number] != await _written_at(client, bot):
                        return bot
    finally:
        await client.aclose()


async def _written_at(client: Redis, bot: StormBot) -> object:
    with suppress(RedisError, OSError):
        return await client.hget(metrics_key(bot.number), "written_at")
    return None


async def _publish(storm: Storm, url: str) -> None:
    client = make_client(url)
    try:
        while True:
            with suppress(RedisError, OSError, TimeoutError):
                async with asyncio.timeout(0.5):
                    await storm.publish_once(client)
            await asyncio.sleep(1.0 - time.time() % 1.0)
    finally:
        await client.aclose()


async def _stream(redis: Redis, over: asyncio.Event) -> None:
    """Events all the while; AssertionError at the end for what was lost or doubled."""
    lease = Lease(redis, keys.STREAM_LEASE, "streamer")
    async with TradingEventPublisher(redis, close_budget_s=30) as publisher:
        feeder = Feeder(publisher, per_round=3)
        async with lease.held():
            with publisher.under(lease):
                await feeder.until(over.is_set, within_s=86_400)
                async with asyncio.timeout(30):
                    while publisher.stats.buffered:
                        await asyncio.sleep(0.05)
    ticks, books = await seqs(redis, keys.TICKS_STREAM), await seqs(redis, keys.LEVEL2_STREAM)
    stats = publisher.stats
    lost = set(range(min(ticks), feeder.sent)) - set(ticks) - set(books)
    _say(f"events: {feeder.sent} sent, {len(ticks) + len(books)} in the streams, {stats}")
    assert ticks == sorted(set(ticks)), "ticks are doubled or out of order"
    assert books == sorted(set(books)), "books are doubled or out of order"
    assert len(lost) <= stats.unacknowledged + stats.fenced, f"{len(lost)} events are lost"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.redis_failover", description=__doc__)
    parser.add_argument("kind", choices=sorted(_GROUPS))
    parser.add_argument("rounds", type=int, nargs="?", default=6)
    parser.add_argument("seed", type=int, nargs="?", default=1)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="redis-failover-"))
    wrong = asyncio.run(play(asked.kind, asked.rounds, asked.seed, folder))
    for sentence in wrong:
        _say(sentence)
    if wrong:
        _say(f"logs: {folder}")
    else:
        shutil.rmtree(folder)
    return int(bool(wrong))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        sys.exit(main())
