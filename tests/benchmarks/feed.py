"""N live messages with figures that change each second, on the local Discord; against one loop that edits in turn.

python -m tests.benchmarks.feed [--boards 1 8 40 120 500] [--seconds 70]

The local Discord runs in a process of its own, with Discord's buckets and fifty calls in any second. A mark, at which
every message is replaced, begins the measurement, and one comes every minute from then on. The lag of an edit is
the time from the publication of the figures that it shows until Discord has them.
Baseline: the loop most bots have, which edits one channel after the other through discord.py.
"""

import argparse
import asyncio
import itertools
import json
import math
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import discord
from discord.http import Route

from bot.feed.channel import DiscordChannel
from bot.feed.feed_job import FeedRunner
from bot.feed.pacing import Pacing
from bot.sandbox.local_discord import open_sandbox
from bot.sandbox.world.records import Change, Deed, MessageChange
from bot.settings import BotSettings
from bot.wire.answers import look_at_answers
from bot.wire.login import point_discord_at
from streaming.clock import ShiftedClock
from tests.support.feed import DictLedger, QueueSnapshots, showing, snapshot

_TICKER = "SPX"
_FIRST_SPOT = 5000
_SPOT = re.compile(r"\b([5-9]\d{3})\.00\b")
_MARK = datetime(2026, 8, 20, 13, 50, tzinfo=UTC)
_FIGURES_S = 1.0
_COMMAND_EVERY_S = 0.5


@dataclass
class Seen:
    """What the local Discord saw of the bot's messages: (channel, deed, instant, the price in it)."""

    writes: list[tuple[int, str, float, int]] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)


async def serve(count: int) -> None:
    """The child: a local Discord that notes every message until its standard input ends, then prints what it saw."""
    writes: list[tuple[int, str, float, int]] = []

    def note(change: Change) -> None:
        if isinstance(change, MessageChange):
            found = _SPOT.search(change.message.content) if change.deed is not Deed.DELETE else None
            spot = int(found[1]) if found else 0
            writes.append((change.message.channel_id, change.deed.name, time.monotonic(), spot))

    async with open_sandbox(channels=[f"board-{number}" for number in range(count)]) as sandbox:
        sandbox.world.listen(note)
        head = {"api": sandbox.api_url, "token": sandbox.token, "channels": list(sandbox.channel_ids.values())}
        sys.stdout.write(json.dumps(head) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        sys.stdout.write(json.dumps({"writes": writes, **sandbox.traffic.summary}) + "\n")


@asynccontextmanager
async def discord_elsewhere(count: int) -> AsyncIterator[tuple[dict[str, Any], Seen]]:
    """A local Discord in another process; what it saw is there after the block."""
    seen = Seen()
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.feed",
        "--serve",
        str(count),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=1 << 28,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield json.loads(await child.stdout.readline()), seen
    finally:
        child.stdin.close()
        found = json.loads(await child.stdout.readline())
        seen.writes = [tuple(row) for row in found["writes"]]
        seen.statuses = found["statuses"]
        await child.wait()


class Market:
    """Publishes a new price every second, and remembers when."""

    def __init__(self, queue: asyncio.Queue[Any], clock: ShiftedClock, settle_s: float) -> None:
        self.published = {_FIRST_SPOT: time.monotonic()}
        self.price = _FIRST_SPOT
        self.mark_s = clock.began_s + settle_s
        self._queue = queue
        self._clock = clock

    async def run(self) -> None:
        start = time.monotonic()
        for second in itertools.count():
            await asyncio.sleep(max(start + second * _FIGURES_S - time.monotonic(), 0.0))
            self.price += 1
            self.published[self.price] = time.monotonic()
            self._queue.put_nowait(snapshot(self._clock.now(), ticker=_TICKER, spot=float(self.price)))


async def ours(
    client: discord.Client, pacing: Pacing, channels: Sequence[int], snapshots: QueueSnapshots, clock: ShiftedClock
) -> None:
    settings = BotSettings(_env_file=None, gex_feed_force_window=True, gex_feed_refresh_minutes=1)
    runner = FeedRunner(
        showing(dict.fromkeys(channels, _TICKER)),
        snapshots,
        partial(DiscordChannel, client),
        DictLedger(),
        settings,
        clock,
        rng=random.Random(1),
        turns=pacing,
    )
    await runner.run()


async def in_turn(client: discord.Client, channels: Sequence[int], market: Market) -> None:
    """The baseline: every second, edit one channel after the other, and replace the messages at the mark."""
    places = [client.get_partial_messageable(channel_id) for channel_id in channels]
    messages = [await place.send(f"{market.price}.00") for place in places]
    begun, mark = time.monotonic(), market.mark_s
    for second in itertools.count(1):
        replaces = time.monotonic() >= mark
        mark += 60 * replaces
        for position, place in enumerate(places):
            if replaces:
                old, messages[position] = messages[position], await place.send(f"{market.price}.00")
                await old.delete()
            else:
                await messages[position].edit(content=f"{market.price}.00")
        await asyncio.sleep(max(begun + second - time.monotonic(), 0.0))


async def commands(client: discord.Client, took: list[float]) -> None:
    """Answers to commands, which must never wait behind boards; that the question is unknown makes no difference."""
    for number in itertools.count(1):
        await asyncio.sleep(_COMMAND_EVERY_S)
        asked = time.monotonic()
        with suppress(discord.HTTPException):
            await client.http.request(
                Route("POST", "/interactions/{i}/{t}/callback", i=number, t="x"), json={"type": 5}
            )
        took.append(time.monotonic() - asked)


def settled_after_s(count: int) -> float:
    """When every message stands and has been looked after: two calls each."""
    return 8.0 + count / 20


async def measure(name: str, count: int, seconds: float, *, paced: bool) -> None:
    """One line of figures."""
    took: list[float] = []
    snapshots, clock = QueueSnapshots(), ShiftedClock(_MARK - timedelta(seconds=settled_after_s(count)))
    market = Market(snapshots.queue, clock, settled_after_s(count))
    async with discord_elsewhere(count) as (place, seen):
        point_discord_at(place["api"], None)
        pacing = Pacing(clock)
        client = discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30.0)
        if paced:
            look_at_answers(client.http, pacing)
        await client.login(place["token"])
        start, cpu = time.monotonic(), time.process_time()
        writer = (
            ours(client, pacing, place["channels"], snapshots, clock)
            if paced
            else in_turn(client, place["channels"], market)
        )
        tasks = [asyncio.create_task(work) for work in (market.run(), writer, commands(client, took))]
        await asyncio.wait(tasks, timeout=market.mark_s + seconds - start, return_when=asyncio.FIRST_COMPLETED)
        end, cpu = time.monotonic(), time.process_time() - cpu
        for task in tasks:
            if task.done():
                task.result()
            task.cancel()
        await asyncio.wait(tasks)
        await client.close()
    report(name, seen, market, (start, end), (cpu, took), marks=paced)


def report(
    name: str, seen: Seen, market: Market, span: tuple[float, float], costs: tuple[float, list[float]], *, marks: bool
) -> None:
    start, end = span
    shown = [row for row in seen.writes if row[1] != "DELETE" and row[3] and market.mark_s <= row[2] <= end]
    lags = sorted(at - market.published[price] for _, _, at, price in shown)
    per_channel = Counter(row[0] for row in shown)
    length = end - market.mark_s
    paces = sorted(per_channel[channel_id] / length for channel_id in {row[0] for row in seen.writes})
    cpu, took = costs
    mark_s = mark_span(seen, market.mark_s) if marks else ""
    sys.stdout.write(
        f"{name:<9} {len(paces):4d} boards {len(shown) / length:6.2f} edits/s, each {paces[0]:.2f} to {paces[-1]:.2f}/s"
        f"  lag p50 {at(lags, 0.5):.2f} p99 {at(lags, 0.99):.2f} worst {lags[-1]:.2f} s"
        f"  429s {seen.statuses.get('429', 0)}  CPU {100 * cpu / (end - start):.1f} %"
        f" commands worst {max(took):.3f} s{mark_s}\n"
    )


def mark_span(seen: Seen, mark: float) -> str:
    """When the first and the last message was replaced after the first mark."""
    posts: dict[int, list[float]] = defaultdict(list)
    for channel_id, deed, instant, _ in seen.writes:
        if deed == "CREATE":
            posts[channel_id].append(instant - mark)
    reposts = sorted(times[1] for times in posts.values() if len(times) > 1)
    return f"  reposts {reposts[0]:.1f} to {reposts[-1]:.1f} s ({len(reposts)})" if reposts else ""


def at(values: Sequence[float], share: float) -> float:
    return values[min(math.floor(share * len(values)), len(values) - 1)]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boards", type=int, nargs="+", default=[1, 8, 40, 120, 500])
    parser.add_argument("--seconds", type=float, default=70)
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ours-only", action="store_true")
    arguments = parser.parse_args()
    if arguments.serve:
        await serve(arguments.serve)
        return
    os.environ.setdefault("PYTHONHASHSEED", "0")
    for count in arguments.boards:
        await measure("ours", count, arguments.seconds, paced=True)
        if not arguments.ours_only:
            await measure("in turn", count, arguments.seconds, paced=False)


if __name__ == "__main__":
    asyncio.run(main())
