"""Our path in a process of its own: `python -m tests.benchmarks.stream_ours FEED_PORT REDIS_URL MIX [--no-streams]`.

A real SchwabStreamClient into a real TradingEventPublisher; only the login's two questions are answered on the spot.
Prints a line `EVENTS BUFFERED BUFFERED_BYTES DROPPED FLUSH_ERRORS HELD_US HELD_CPU_US` ten times a second; the last two
are the longest that one callback held the event loop meanwhile, by the wall and in processor time (`--watch`, else 0).
"""

import argparse
import asyncio
import gc
import random
import time
from contextlib import suppress

from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.publish.stream_budget import DEFAULT_MB
from streaming.bus.redis_connection import open_redis
from streaming.clock import SystemClock
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient
from streaming.schwab.wire.frames import StreamerInfo
from tests.benchmarks.stream_frames import mix_named

_REPORT_S = 0.1


class LoopWatch:
    """The longest callback since it was asked last."""

    def __init__(self) -> None:
        self._held_s = self._cpu_s = 0.0

    def begin(self) -> None:
        """Time every callback of every loop of this process from now on."""
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> None:
            began_s, cpu_s = time.perf_counter(), time.thread_time()
            run(handle)
            self._held_s = max(self._held_s, time.perf_counter() - began_s)
            self._cpu_s = max(self._cpu_s, time.thread_time() - cpu_s)

        asyncio.Handle._run = timed  # type: ignore[method-assign]

    def take(self) -> tuple[int, int]:
        """Microseconds by the wall and of the processor; begins anew."""
        held = round(self._held_s * 1e6), round(self._cpu_s * 1e6)
        self._held_s = self._cpu_s = 0.0
        return held


class Directory:
    """Where the feed is, without a REST server."""

    def __init__(self, port: int) -> None:
        self._info = StreamerInfo(f"ws://127.0.0.1:{port}/", "customer", "correl", "N9", "APIAPP")

    async def user_preference(self) -> StreamerInfo:
        return self._info


class Tokens:
    """A token without an OAuth server."""

    async def access_token(self, **_options: object) -> str:
        return "token"


async def _report(client: SchwabStreamClient, publisher: TradingEventPublisher, watch: LoopWatch) -> None:
    while True:
        stats, events = publisher.stats, client._counters.events
        told = (events, stats.buffered, stats.buffered_bytes, stats.dropped, stats.flush_errors, *watch.take())
        print(*told, flush=True)
        await asyncio.sleep(_REPORT_S)


async def _stream(arguments: argparse.Namespace) -> None:
    megabytes = DEFAULT_MB if arguments.streams else None
    clock, watch = SystemClock(), LoopWatch()
    if arguments.watch:
        watch.begin()
    symbols = tuple(key for keys in mix_named(arguments.mix).symbols.values() for key in keys)
    async with open_redis(arguments.redis) as redis, TradingEventPublisher(redis, streams_mb=megabytes) as publisher:
        client = SchwabStreamClient(
            Directory(arguments.port),
            Tokens(),
            Subscriptions(symbols, quotes=False),
            publisher.publish,
            clock,
            random.Random(1),
            room=publisher.room,
        )
        gc.freeze()  # as the program does once it has started
        async with asyncio.TaskGroup() as group:
            group.create_task(client.run(), name="stream")
            group.create_task(_report(client, publisher, watch), name="report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("redis")
    parser.add_argument("mix")
    parser.add_argument("--watch", action="store_true")
    parser.add_argument("--no-streams", dest="streams", action="store_false")
    with suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_stream(parser.parse_args()))


if __name__ == "__main__":
    main()
