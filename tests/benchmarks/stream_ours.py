"""Our path in a process of its own: `python -m tests.benchmarks.stream_ours FEED_PORT REDIS_URL [--no-streams]`.

A real SchwabStreamClient into a real TradingEventPublisher; only the login's two questions are answered on the spot.
Prints a line `EVENTS BUFFERED BUFFERED_BYTES DROPPED FLUSH_ERRORS` ten times a second.
"""

import argparse
import asyncio
import random
from contextlib import suppress

from streaming.bus.events import STREAM_CAPS
from streaming.bus.publish.publisher import TradingEventPublisher
from streaming.bus.redis_connection import open_redis
from streaming.clock import SystemClock
from streaming.schwab.stream.routing import Subscriptions
from streaming.schwab.stream.stream_client import SchwabStreamClient
from streaming.schwab.wire.frames import StreamerInfo
from tests.benchmarks.stream_frames import SYMBOLS

_REPORT_S = 0.1


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


async def _report(client: SchwabStreamClient, publisher: TradingEventPublisher) -> None:
    while True:
        stats = publisher.stats
        print(client.status.events, stats.buffered, stats.buffered_bytes, stats.dropped, stats.flush_errors, flush=True)
        await asyncio.sleep(_REPORT_S)


async def _stream(arguments: argparse.Namespace) -> None:
    caps = STREAM_CAPS if arguments.streams else None
    clock = SystemClock()
    async with open_redis(arguments.redis) as redis, TradingEventPublisher(redis, stream_caps=caps) as publisher:
        client = SchwabStreamClient(
            Directory(arguments.port), Tokens(), Subscriptions(SYMBOLS), publisher.publish, clock, random.Random(1)
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(client.run(), name="stream")
            group.create_task(_report(client, publisher), name="report")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("redis")
    parser.add_argument("--no-streams", dest="streams", action="store_false")
    with suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_stream(parser.parse_args()))


if __name__ == "__main__":
    main()
