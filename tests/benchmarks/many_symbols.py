"""Thousands of symbols over the simulator's socket, taken by the streamer in a process of its own.

`python -m tests.benchmarks.many_symbols [SYMBOLS ...]` (220, 3,000 and 8,000): shares, and options of SPX, as many of
each as 3 to 5. Prints how many keys (with books) were asked for in how many requests, how long until Schwab's answer to
the last and until every symbol has sent its first image, the same after a cut socket, the processor time of both, the
longest hold of the event loop then and while it flows, and the process's memory. The simulator takes most of the time:
it answers each request with an image of all, and a market of 8,000 keeps its core busy.

Then the limits that people report, 3,000 symbols a session and 500 a request: what is held, what is left out and how
`/stream status` says so. Exit status 1 when a subscription or a symbol is not back after 90 s.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from streaming.bus.server.embedded import open_embedded_server
from streaming.clock import ShiftedClock, epoch_ms
from streaming.schwab.stream.routing import Subscriptions, plan
from streaming.sim.local_schwab import Limits, SimServer, open_sim
from streaming.sim.world.market import Market
from tests.benchmarks.inputs import interpreter
from tests.benchmarks.stream_line import ROOT, memory_mb, processor_s
from tests.support.stream_rig import until, write_token

START = datetime(2026, 8, 20, 14, 30, tzinfo=UTC)
SIZES = (220, 3_000, 8_000)
EVENTS = ("ticks", "level2")
SHARES_OF_8 = 3
WITHIN_S = 90.0
CALM_S = 15.0
NEEDED = ("$SPX", "/ES")


@dataclass
class Ours:
    """The streaming process, and what it says."""

    process: Process
    connects: int = 0
    settled: bool = False
    requests: int = 0
    heard: int = 0
    held_us: tuple[int, int] = (0, 0)
    seen: asyncio.Queue[dict[str, object]] = field(default_factory=asyncio.Queue)

    async def follow(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            told = json.loads(line)
            if "shown" in told:
                self.seen.put_nowait(told)
                continue
            self.connects, self.settled = told["connects"], told.get("settled", False)
            self.requests, self.heard = told.get("requests", 0), told.get("heard", 0)
            self.held_us = tuple(map(max, self.held_us, told["held"]))

    async def show(self) -> dict[str, object]:
        """What an operator sees now."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        return await self.seen.get()


@dataclass
class Run:
    """One simulator, Redis and streamer."""

    sim: SimServer
    ours: Ours
    symbols: Sequence[str]
    wanted: Mapping[str, Sequence[str]]

    @property
    def keys(self) -> int:
        return sum(map(len, self.wanted.values()))

    async def settle(self, connects: int, reached: Callable[[], bool]) -> str:
        """Wait until all is subscribed and heard; the times of both, processor time and the longest hold, in words."""
        ours, began_s, used_s = self.ours, time.monotonic(), processor_s(self.ours.process.pid)
        ours.held_us = (0, 0)
        await until(lambda: ours.connects >= connects and ours.settled and reached(), within_s=WITHIN_S)
        subscribed_s = time.monotonic() - began_s
        await until(lambda: ours.heard >= self._expected, within_s=WITHIN_S)
        heard_s = time.monotonic() - began_s
        cpu_s = processor_s(ours.process.pid) - used_s
        return f"{subscribed_s:>8.1f} {heard_s:>8.1f} {cpu_s:>7.1f} {_held(ours.held_us)}"

    @property
    def _expected(self) -> int:
        level_one = (keys for service, keys in self.sim.subscriptions.items() if service.startswith("LEVELONE"))
        return sum(map(len, level_one))

    def all_back(self) -> bool:
        held = self.sim.subscriptions
        return {name: set(keys) for name, keys in held.items()} == {n: set(keys) for n, keys in self.wanted.items()}


def _held(us: tuple[int, int]) -> str:
    return f"{us[0] / 1000:>8.1f} {us[1] / 1000:>7.1f}"


@asynccontextmanager
async def open_run(count: int, limits: Limits, events: Sequence[str]) -> AsyncIterator[Run]:
    """Everything started anew."""
    clock = ShiftedClock(START)
    shares = count * SHARES_OF_8 // 8
    market = Market.generate(("SPX", "NDX"), start_at=START, seed=7, shares=shares)
    board = market.board("$SPX")
    assert board is not None
    names = [tape.symbol for tape in market.tapes if tape.kind == "share"]
    symbols = (*NEEDED, *names, *board.lines.symbol[: count - shares - len(NEEDED)])
    venues = {name: item.exchange for name in names if (item := market.listed(name)) is not None}
    wanted = plan(Subscriptions(symbols, books="level2" in events), venues, level2=True)
    with tempfile.TemporaryDirectory(prefix="gexcord-many-") as folder:
        async with (
            open_sim(market, clock, client_id="id", client_secret="secret", limits=limits) as sim,
            open_embedded_server(Path(folder) / "redis") as server,
        ):
            token = Path(folder) / "tokens" / "token.json"
            write_token(token, sim)
            order = {
                "url": sim.url,
                "clock": (epoch_ms(START), clock.began_s),
                "token": str(token),
                "redis": server.url,
                "symbols": symbols,
                "events": events,
            }
            async with _streamer(order) as ours:
                yield Run(sim, ours, symbols, {str(service): keys for service, keys in wanted.items()})


@asynccontextmanager
async def _streamer(order: Mapping[str, object]) -> AsyncIterator[Ours]:
    command = (sys.executable, "-m", "tests.benchmarks.many_symbols_ours")
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=1 << 20)
    assert process.stdin is not None
    process.stdin.write(json.dumps(order).encode() + b"\n")
    ours = Ours(process)
    following = asyncio.create_task(ours.follow(), name="what the streamer says")
    try:
        yield ours
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.wait({following})


async def all_of(count: int, events: Sequence[str]) -> None:
    """So many symbols without a limit: subscribed, flowing, and back after a cut."""
    async with open_run(count, Limits(keys=100_000), events) as run:
        ours = run.ours
        await until(lambda: run.sim.counters["logins"] == 1, within_s=WITHIN_S)
        first = await run.settle(1, run.all_back)
        ours.held_us = (0, 0)
        await asyncio.sleep(CALM_S)
        flowing, resident, most = _held(ours.held_us), *(memory_mb(ours.process.pid, it) for it in ("VmRSS", "VmHWM"))
        requests = ours.requests
        await run.sim.drop_streams()
        again = await run.settle(2, run.all_back)
    print(f"{count:>7,} {run.keys:>7,} {requests:>8,} {first}   {again}   {flowing} {resident:>7,.0f} {most:>7,.0f}")


async def limited(count: int, events: Sequence[str]) -> None:
    """What does not fit, and how it is told."""
    async with open_run(count, Limits(), events) as run:
        await until(lambda: run.sim.counters["logins"] == 1, within_s=WITHIN_S)
        figures = await run.settle(1, lambda: True)
        held = run.sim.subscriptions
        seen = await run.ours.show()
        print(f"\n{count:,} symbols, of which Schwab takes 3,000: {run.ours.requests} requests; {figures}")
        for service, keys in run.wanted.items():
            first = tuple(held.get(service, ())) == tuple(keys[: len(held.get(service, ()))])
            print(f"  {service:<20}{len(held.get(service, ())):>6,} of {len(keys):>6,}, the first wanted: {first}")
        print(f"  left out, as told: {seen['left_out']}")
        for text in seen["shown"]:
            print(f"\n{text}\n({len(text)} characters)")


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("symbols", type=int, nargs="*", default=SIZES)
    parser.add_argument("--events", default=",".join(EVENTS), help="kinds that are published; without level2, no books")
    parser.add_argument("--only", choices=("all", "limited"))
    arguments = parser.parse_args()
    events = arguments.events.split(",")
    print(f"{interpreter()}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the start")
    if arguments.only != "limited":
        print(f"{'':>24}{'at the start':^41}{'after a cut':^43}{'while it flows':^17}")
        part = f"{'acked s':>8} {'heard s':>8} {'CPU s':>7} {'held ms':>8} {'of CPU':>7}"
        last = f"{'held ms':>8} {'of CPU':>7} {'RSS MB':>7} {'peak':>7}"
        print(f"{'symbols':>7} {'keys':>7} {'requests':>8} {part}   {part}   {last}")
        for count in arguments.symbols:
            await all_of(count, events)
    if arguments.only != "all":
        await limited(max(arguments.symbols), events)


if __name__ == "__main__":
    asyncio.run(main())
