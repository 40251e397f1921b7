"""Events per second into Redis, until a subscriber in another process has them: ours against what people write.

`python -m tests.benchmarks.publish [--rounds N] [--quick] [--groups]` prints medians of interleaved rounds and their
ratios to the first row. Baselines in the same run: one awaited PUBLISH per event, and redis-py pipelines of 100, both
with redis-py's defaults. All ways encode with the same encoder, so the difference is the publishing alone. With
`--groups` it says instead what it costs that a copy has to confirm, against one server.
"""

import argparse
import asyncio
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from redis.asyncio import Redis

from streaming.bus import keys
from streaming.bus.codec import encode_event
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.publish.stream_budget import DEFAULT_MB
from streaming.bus.redis_connection import open_redis
from streaming.bus.server.embedded import open_embedded_server
from streaming.model import MarketEvent, TickEvent
from tests.support.events import book, tick
from tests.support.redis_groups import cluster_group, sentinel_group
from tests.support.redis_server import plain_redis

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 50
ENOUGH_WAITING = 20_000
CAP = 50_000
SUBSCRIBER = """
import re, socket, sys, time
import hiredis
host, _, port = sys.argv[1].rpartition(":")
if host:
    connection = socket.create_connection((host, int(port)))
else:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
connection.sendall(b"SUBSCRIBE market_data:ticks market_data:level2 bench:end\\r\\n")
reader, count, late, stamp = hiredis.Reader(), 0, [], re.compile(rb'"event_ms":(\\d+)')
while True:
    reader.feed(connection.recv(1 << 18))
    now = time.monotonic_ns() // 1000
    while (message := reader.gets()) is not False:
        kind, channel, data = message
        if kind == b"subscribe":
            if data == 3:
                print("ready", flush=True)
        elif channel == b"bench:end":
            late.sort()
            p50, p99 = (late[len(late) // 2], late[len(late) * 99 // 100]) if late else (0, 0)
            print(count, p50, p99, flush=True)
            count, late = 0, []
        else:
            count += 1
            if sys.argv[2] == "latency":
                late.append(now - int(stamp.search(data)[1]))
"""
Publish = Callable[[str, Sequence[MarketEvent], bool], Awaitable[None]]


def _encoded(event: MarketEvent) -> tuple[str, bytes]:
    return keys.TICKS if isinstance(event, TickEvent) else keys.LEVEL2, encode_event(event)


async def one_await_per_event(url: str, events: Sequence[MarketEvent], streams: bool) -> None:
    """The plain way."""
    async with Redis.from_url(url) as redis:
        for event in events:
            channel, payload = _encoded(event)
            await redis.publish(channel, payload)
            if streams:
                await redis.xadd(f"{channel}:stream", {"data": payload}, maxlen=CAP)
        await redis.publish("bench:end", b"")


async def pipelines_of_100(url: str, events: Sequence[MarketEvent], streams: bool) -> None:
    """redis-py's own batching."""
    async with Redis.from_url(url) as redis:
        for start in range(0, len(events), 100):
            async with redis.pipeline(transaction=False) as pipeline:
                for event in events[start : start + 100]:
                    channel, payload = _encoded(event)
                    pipeline.publish(channel, payload)
                    if streams:
                        pipeline.xadd(f"{channel}:stream", {"data": payload}, maxlen=CAP)
                await pipeline.execute()
        await redis.publish("bench:end", b"")


async def ours(url: str, events: Sequence[MarketEvent], streams: bool) -> None:
    """TradingEventPublisher, fed as a socket reader feeds it."""
    async with open_redis(url) as redis:
        megabytes = DEFAULT_MB if streams else None
        async with TradingEventPublisher(redis, streams_mb=megabytes, close_budget_s=60) as publisher:
            for start in range(0, len(events), CHUNK):
                publisher.publish(events[start : start + CHUNK])
                await asyncio.sleep(0)
                while publisher.stats.buffered > ENOUGH_WAITING:
                    await asyncio.sleep(0.001)
        await redis.publish("bench:end", b"")


WAYS: dict[str, tuple[Publish, int]] = {
    "one await per event": (one_await_per_event, 4_000),
    "redis-py pipeline of 100": (pipelines_of_100, 40_000),
    "TradingEventPublisher": (ours, 160_000),
}


@asynccontextmanager
async def _subscriber(url: str, mode: str = "count") -> AsyncIterator[Process]:
    socket = url.removeprefix("unix://").removeprefix("redis://").removesuffix("/0")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SUBSCRIBER, socket, mode, stdout=PIPE)
    try:
        await _words(process)
        yield process
    finally:
        process.kill()
        await process.wait()


async def _words(process: Process) -> list[str]:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        raise RuntimeError("the subscriber ended: the server cut it off or it failed")
    return line.decode().split()


async def _rate(url: str, publish: Publish, events: Sequence[MarketEvent], *, streams: bool) -> float:
    """Events per second from the first one until the subscriber has counted the last."""
    async with _subscriber(url) as subscriber:
        began = time.monotonic()
        await publish(url, events, streams)
        count = int((await _words(subscriber))[0])
        took = time.monotonic() - began
    if count != len(events):
        raise RuntimeError(f"the subscriber has {count} of {len(events)} events")
    return count / took


def _events(count: int, *, books: bool) -> list[MarketEvent]:
    """Ticks, or four ticks to every book of twenty levels a side."""
    return [book(n, levels=20) if books and n % 5 == 0 else tick(n) for n in range(count)]


async def _throughput(url: str, rounds: int, scale: float) -> None:
    for books in (False, True):
        for streams in (False, True):
            rates: dict[str, list[float]] = {name: [] for name in WAYS}
            for _ in range(rounds):
                for name, (publish, count) in WAYS.items():
                    events = _events(int(count * scale / (4 if books else 1)), books=books)
                    rates[name].append(await _rate(url, publish, events, streams=streams))
            what = "80 % ticks, 20 % books" if books else "ticks"
            _report(f"{what}, {'PUBLISH and capped XADD, AOF on' if streams else 'PUBLISH only'}", rates)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _report(title: str, rates: dict[str, list[float]]) -> None:
    _say(title)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    base = next(iter(medians.values()))
    for name, median in medians.items():
        _say(f"  {name:26} {median:>10,.0f} events/s  {median / base:6.1f} x")


async def _latency(url: str, per_s: int, seconds: float, *, heard_at: str = "") -> None:
    async with _subscriber(heard_at or url, "latency") as subscriber, open_redis(url) as redis:
        async with TradingEventPublisher(redis) as publisher:
            began, sent = time.monotonic(), 0
            while (elapsed := time.monotonic() - began) < seconds:
                due = int(elapsed * per_s) - sent
                stamp = time.monotonic_ns() // 1000
                publisher.publish([msgspec.structs.replace(tick(sent + n), event_ms=stamp) for n in range(due)])
                sent += due
                await asyncio.sleep(0.0005)
        await redis.publish("bench:end", b"")
        count, p50, p99 = (int(word) for word in await _words(subscriber))
    _say(f"steady {per_s:,}/s: {count:,} of {sent:,} arrived, p50 {p50 / 1000:.2f} ms, p99 {p99 / 1000:.2f} ms")


async def _price(url: str, heard_at: str, rounds: int, scale: float) -> None:
    """How fast events go, how late they are heard, and how long a write takes that must not be lost."""
    rates = []
    for _ in range(rounds):
        events = _events(int(100_000 * scale), books=False)
        async with _subscriber(heard_at) as subscriber:
            began = time.monotonic()
            await ours(url, events, streams=True)
            await _words(subscriber)
            rates.append(len(events) / (time.monotonic() - began))
    _say(f"  {statistics.median(rates):>10,.0f} events/s with streams")
    for per_s in (300, 3_000):
        await _latency(url, per_s, 5.0 * scale, heard_at=heard_at)
    async with open_redis(url) as redis:
        took_ms = []
        for number in range(int(2_000 * scale)):
            began = time.monotonic()
            await redis.hset(keys.FEED_LEDGER, "5", str(number))
            took_ms.append((time.monotonic() - began) * 1000)
    cuts = statistics.quantiles(took_ms, n=100)
    _say(f"an entry of the ledger: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms")


async def _prices(rounds: int, scale: float) -> None:
    """One server, a master with two replicas behind a sentinel, a Cluster of three masters with a replica each."""
    with TemporaryDirectory(prefix="gexcord-bench-") as folder, plain_redis(Path(folder)) as (url, _):
        _say("one server on TCP")
        await _price(url, url, rounds, scale)
    for group in (sentinel_group, cluster_group):
        with TemporaryDirectory(prefix="gexcord-bench-") as folder, group(Path(folder)) as servers:
            _say(servers.url.partition(":")[0])
            await _price(servers.url, f"redis://127.0.0.1:{servers.masters()[0]}/0", rounds, scale)


async def main() -> None:
    """Run everything against one embedded server of our own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the events, one round")
    parser.add_argument("--groups", action="store_true", help="one server, Sentinel and a Cluster instead")
    arguments = parser.parse_args()
    if arguments.groups:
        await _prices(1 if arguments.quick else arguments.rounds, 0.05 if arguments.quick else 1.0)
        return
    with TemporaryDirectory(prefix="gexcord-bench-") as folder:
        async with open_embedded_server(Path(folder)) as server:
            await _throughput(server.url, 1 if arguments.quick else arguments.rounds, 0.05 if arguments.quick else 1.0)
            for per_s in (10_000, 20_000):
                await _latency(server.url, per_s, 1.0 if arguments.quick else 5.0)


if __name__ == "__main__":
    asyncio.run(main())
