"""How late a 1 Hz beat is while ten charts are drawn: in the worker process, against a thread and the loop itself.

python -m tests.benchmarks.charts [--seconds 12]

Baseline: drawing in a thread of the same process, as most bots do.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from statistics import median
from typing import Final

from bot.render.chart_spec import strikes_chart
from bot.render.charts import ChartWorker
from bot.render.strikes_painter import StrikesPainter, painter
from streaming.model import GexSnapshot
from tests.support.feed import OPEN_AT, snapshot

_BEATS: Final = 20
_CHARTS: Final = 10
_NOW: Final = OPEN_AT
Draw = Callable[[GexSnapshot], Awaitable[object]]


def _snapshots() -> "list[GexSnapshot]":
    strikes = tuple((24100.0 + 10 * n, 90.0 - n, n - 90.0, ()) for n in range(160))
    return [snapshot(strikes=strikes, asof_ms=1_787_000_000_000 + 1000 * n) for n in range(_CHARTS * 200)]


async def _beat(phase_s: float, seconds: float, late: list[float]) -> None:
    start = time.monotonic() + phase_s
    for beat in range(int(seconds)):
        due = start + beat
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        late.append(time.monotonic() - due)


async def _ask(draw: Draw, done: list[float]) -> None:
    """Ten charts at once, again and again."""
    fresh = iter(_snapshots())
    while True:
        begun = time.monotonic()
        await asyncio.gather(*(draw(next(fresh)) for _ in range(_CHARTS)))
        done.append(time.monotonic() - begun)


async def _measure(name: str, draw: Draw | None, seconds: float) -> float:
    late: list[float] = []
    rounds: list[float] = []
    asking = None if draw is None else asyncio.create_task(_ask(draw, rounds), name="asking")
    await asyncio.gather(*(_beat(position / _BEATS, seconds, late) for position in range(_BEATS)))
    if asking is not None:
        asking.cancel()
        await asyncio.wait({asking})
    late.sort()
    p99 = late[int(len(late) * 0.99)] * 1000
    ten = f"{median(rounds):6.2f} s for ten charts" if rounds else ""
    sys.stdout.write(
        f"{name:<28} p50 {median(late) * 1000:7.2f} ms  p99 {p99:8.2f} ms  max {late[-1] * 1000:8.2f} ms  {ten}\n"
    )
    return p99


def _drawn_here(painters: list[StrikesPainter], seen: GexSnapshot) -> bytes:
    return painters[0].draw(strikes_chart(seen, weight="vol", theme="dark", now=_NOW))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12)
    seconds = parser.parse_args().seconds
    painters = [painter("dark")]
    one_at_a_time = asyncio.Lock()

    async def in_a_thread(seen: GexSnapshot) -> object:
        async with one_at_a_time:
            return await asyncio.to_thread(_drawn_here, painters, seen)

    async def on_the_loop(seen: GexSnapshot) -> object:
        return _drawn_here(painters, seen)

    quiet = await _measure("no charts", None, seconds)
    async with ChartWorker(timeout_s=60) as charts:
        await charts.prewarm()
        worker = await _measure("worker process (ours)", partial(charts.strikes, now=_NOW), seconds)
    thread = await _measure("thread (baseline)", in_a_thread, seconds)
    loop = await _measure("event loop", on_the_loop, seconds)
    sys.stdout.write(
        f"p99 against the thread: {thread / worker:.1f} times better; against the loop: {loop / worker:.0f} times;"
        f" {worker / quiet:.1f} times a loop that draws nothing\n"
    )


if __name__ == "__main__":
    asyncio.run(main())
