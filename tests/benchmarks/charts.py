"""How late a 1 Hz beat is while ten charts of all kinds are asked for at once, beside a feed of eight boards.

python -m tests.benchmarks.charts [--seconds 12] [--memory]

Ours: the day's history thinned in Redis, drawing in the worker process. Baselines: drawing in a thread of the same
process, as most bots do; drawing on the event loop. `--memory` draws a thousand charts and prints the worker's size.
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, Final, cast

from msgspec.structs import replace
from redis.asyncio import Redis

from bot.feed.feed_job import FeedRunner
from bot.pictures import PictureRequest, take_picture
from bot.render.charts.chart_client import ChartWorker
from bot.render.charts.chart_spec import KINDS, Chart
from bot.render.charts.chart_worker import Painters
from bot.services import Services
from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.redis_connection import open_redis
from streaming.bus.snapshots.day_maps import DayMapStore
from streaming.bus.snapshots.snapshot_history import without_curves
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.clock import ShiftedClock, epoch_ms
from streaming.model import SCOPES, WEIGHTS, GexSnapshot
from tests.support.charts import full_snapshot
from tests.support.day_maps import map_of
from tests.support.feed import DictLedger, FakeChannel, showing
from tests.support.host import make_settings
from tests.support.redis_server import embedded_redis

_BEATS: Final = 20
_PROBE_HZ: Final = 50
_BOARDS: Final = 8
_SESSION: Final = 4_700
_TICKER: Final = "NQ_NDX"
_AFTERNOON: Final = datetime.fromisoformat("2026-08-20T15:50:00-04:00")
Draw = Callable[[Chart], Awaitable[bytes]]


@dataclass
class Late:
    """How late beats came, in seconds."""

    beats: list[float]
    probe: list[float]
    rounds: list[float]


def _moment(at: datetime, n: int) -> GexSnapshot:
    """As large as a real one of NDX: 72 kB, 22 kB in the history."""
    spot = 25000.0 + 40 * random.Random(n).random() + n / 100
    strikes = tuple(
        (strike, vol, oi, (vol + 0.123456, oi - 0.234567, 1.5, 2.5, 3.5))
        for strike, vol, oi, _ in full_snapshot().strikes
    )
    return full_snapshot(at, spot=spot, strikes=strikes, seq=n)


async def _fill(redis: Redis, clock: ShiftedClock) -> None:
    """A session of one snapshot in five seconds."""
    now = clock.now()
    for start in range(0, _SESSION, 100):
        pipeline = redis.pipeline(transaction=False)
        for n in range(start, start + 100):
            seen = _moment(now - timedelta(seconds=5 * (_SESSION - n)), n)
            fields: Any = {"data": encode_snapshot(without_curves(seen)), "day": "2026-08-20", "asof_ms": seen.asof_ms}
            pipeline.xadd(keys.history(_TICKER), fields, id=f"{epoch_ms(datetime.now(UTC)) - 5000 * (_SESSION - n)}-1")
        await pipeline.execute()


async def _market(store: SnapshotStore, clock: ShiftedClock) -> None:
    n = _SESSION
    while True:
        n += 1
        await store.put(_moment(clock.now(), n))
        await asyncio.sleep(1.0)


async def _beat(phase_s: float, period_s: float, seconds: float, late: list[float]) -> None:
    start = time.monotonic() + phase_s
    for beat in range(int(seconds / period_s)):
        due = start + beat * period_s
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        late.append(time.monotonic() - due)


async def _ask(services: Services, done: list[float]) -> None:
    """Ten charts at once, again and again."""
    while True:
        begun = time.monotonic()
        requests = [
            PictureRequest(symbol=_TICKER, kind=kind, weight=weight) for kind, weight in product(KINDS, ("oi", "vol"))
        ]
        await asyncio.gather(*(take_picture(services, request, channel_id=None) for request in requests))
        done.append(time.monotonic() - begun)


async def _measure(name: str, services: Services | None, seconds: float) -> Late:
    late = Late([], [], [])
    asking = None if services is None else asyncio.create_task(_ask(services, late.rounds), name="asking")
    beats = (_beat(position / _BEATS, 1.0, seconds, late.beats) for position in range(_BEATS))
    await asyncio.gather(*beats, _beat(0.0, 1.0 / _PROBE_HZ, seconds, late.probe))
    if asking is not None:
        asking.cancel()
        await asyncio.wait({asking})
    ten = f"  {median(late.rounds):5.2f} s for ten charts" if late.rounds else ""
    sys.stdout.write(f"{name:<24} 1 Hz {_words(late.beats)}   {_PROBE_HZ} Hz {_words(late.probe)}{ten}\n")
    sys.stdout.flush()
    return late


def _words(late: Sequence[float]) -> str:
    p50, p99, most = (at * 1000 for at in (median(late), _p99(late), max(late)))
    return f"p50 {p50:6.2f} p99 {p99:7.2f} max {most:7.2f} ms"


def _p99(late: Sequence[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)]


async def _histories(store: SnapshotStore, latest: GexSnapshot) -> None:
    """How long one person's whole-day history holds the loop, thinned and not."""
    ways: dict[str, Callable[[], Awaitable[Sequence[object]]]] = {
        "thinned to 240 (ours)": partial(store.past, latest, minutes=1440, most=240, strikes=False),
        "72 with strikes (ours)": partial(store.past, latest, minutes=1440, most=72, strikes=True),
        "whole session": partial(store.history, _TICKER, minutes=1440),
    }
    for name, read in ways.items():
        gaps: list[float] = []
        watching = asyncio.create_task(_watch(gaps), name="watch")
        begun = time.monotonic()
        found = await read()
        took = time.monotonic() - begun
        await asyncio.sleep(0)
        watching.cancel()
        await asyncio.wait({watching})
        sys.stdout.write(
            f"history {name:<24} {len(found):5d} snapshots in {took * 1000:7.1f} ms,"
            f" longest hold of the loop {max(gaps) * 1000:6.1f} ms\n"
        )


async def _watch(gaps: list[float]) -> None:
    last = time.monotonic()
    while True:
        await asyncio.sleep(0)
        now = time.monotonic()
        gaps.append(now - last)
        last = now


@asynccontextmanager
async def _feed(store: SnapshotStore, clock: ShiftedClock) -> AsyncIterator[None]:
    settings = make_settings(gex_feed_force_window=True)
    boards = dict.fromkeys(range(1, _BOARDS + 1), _TICKER)
    channels = {number: FakeChannel() for number in boards}
    runner = FeedRunner(showing(boards), store, channels.__getitem__, DictLedger(), settings, clock)
    jobs = [
        asyncio.create_task(_market(store, clock), name="market"),
        asyncio.create_task(runner.run(), name="feed"),
    ]
    await asyncio.sleep(2.0)
    try:
        yield
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.wait(jobs)
        edits = sum(len(channel.log) for channel in channels.values())
        sys.stdout.write(f"the feed wrote {edits} times meanwhile\n")


async def _latenesses(store: SnapshotStore, clock: ShiftedClock, seconds: float) -> None:
    def services(draw: Draw) -> Services:
        return _services(store, clock, SimpleNamespace(draw=draw))

    painters, one_at_a_time = Painters(), asyncio.Lock()

    async def in_a_thread(chart: Chart) -> bytes:
        async with one_at_a_time:
            return await asyncio.to_thread(painters.draw, chart)

    async def on_the_loop(chart: Chart) -> bytes:
        return painters.draw(chart)

    quiet = await _measure("no charts", None, seconds)
    async with ChartWorker(timeout_s=60) as charts:
        await charts._started()
        ours = await _measure("worker process (ours)", services(charts.draw), seconds)
    thread = await _measure("thread (baseline)", services(in_a_thread), seconds)
    loop = await _measure("event loop (baseline)", services(on_the_loop), seconds)
    for name in ("beats", "probe"):
        late = {
            key: _p99(getattr(one, name))
            for key, one in (("quiet", quiet), ("ours", ours), ("thread", thread), ("loop", loop))
        }
        sys.stdout.write(
            f"p99 of the {name}: {late['thread'] / late['ours']:.1f} times better than the thread,"
            f" {late['loop'] / late['ours']:.0f} times than the loop, {late['ours'] / late['quiet']:.1f}× no charts\n"
        )


def _services(store: SnapshotStore, clock: ShiftedClock, charts: object) -> Services:
    maps = DayMapStore(store._redis)
    parts = {"settings": make_settings(), "clock": clock, "snapshots": store, "day_map": maps.get, "charts": charts}
    return cast("Services", SimpleNamespace(**parts))


async def _maps(redis: Redis, store: SnapshotStore, clock: ShiftedClock) -> None:
    """From a person's request to the picture of the rest of the session: the first one, then others."""
    size = await redis.strlen(keys.day_map(_TICKER))
    took: list[float] = []
    async with ChartWorker(timeout_s=60) as charts:
        services = _services(store, clock, charts)
        for theme, scope, weight in product(("dark", "light"), SCOPES, WEIGHTS):
            request = PictureRequest(symbol=_TICKER, kind="map", theme=theme, scope=scope, weight=weight)  # type: ignore[arg-type]  # of the right names
            begun = time.monotonic()
            await take_picture(services, request, channel_id=None)
            took.append(time.monotonic() - begun)
    first, *later = (seconds * 1000 for seconds in took)
    words = f"first {first:.0f} ms, the worker's start included, then p50 {median(later):.0f} max {max(later):.0f} ms"
    sys.stdout.write(f"map of {size / 1000:.0f} kB in Redis: {words}\n")


async def _memory(store: SnapshotStore, clock: ShiftedClock, count: int = 1000) -> None:
    async with ChartWorker(timeout_s=60) as charts:
        services = _services(store, clock, charts)
        choices = list(product(("dark", "light"), KINDS, ("oi", "vol")))
        for n in range(count + 1):
            theme, kind, weight = choices[n % len(choices)]
            request = PictureRequest(symbol=_TICKER, kind=kind, weight=weight, theme=theme)  # type: ignore[arg-type]  # of the right names
            await take_picture(services, request, channel_id=None)
            if n in {0, 20, 100, 250, 500, 750, count}:
                sys.stdout.write(f"after {n:5d} charts the worker holds {_resident_mb(charts.pid or 0):6.1f} MB\n")
                sys.stdout.flush()
            if n % len(choices) == 0:
                await store.put(replace(_moment(clock.now(), n), asof_ms=epoch_ms(clock.now())))


def _resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12)
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_args()
    clock = ShiftedClock(_AFTERNOON)
    async with embedded_redis() as server, open_redis(server.url) as redis:
        store = SnapshotStore(redis, clock=clock)
        await _fill(redis, clock)
        latest = _moment(clock.now(), _SESSION)
        await store.put(latest)
        await DayMapStore(redis).put(map_of(latest))
        if arguments.memory:
            await _memory(store, clock)
            return
        await _histories(store, latest)
        await _maps(redis, store, clock)
        async with _feed(store, clock):
            await _latenesses(store, clock, arguments.seconds)


if __name__ == "__main__":
    asyncio.run(main())
