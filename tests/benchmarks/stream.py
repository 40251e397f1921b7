"""Server's socket to subscriber, four processes: our stream path against schwab-py's, in the same run.

`python -m tests.benchmarks.stream [--rounds N] [--quick]`: frames from a second process over a loopback WebSocket are
decoded, merged and published to an embedded Redis with AOF on; a subscriber in a third process counts them. The
baseline is what people run today: schwab-py 1.5.1's StreamClient, `json.dumps`, one awaited publish per event, in an
environment that this benchmark installs once and keeps in the temporary folder. Rates are medians of interleaved
rounds; the CPU shares tell what limits them (100 % is one core).
"""

import argparse
import asyncio
import fcntl
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import venv
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis

from streaming.bus.server.embedded import EmbeddedServer, open_embedded_server
from tests.benchmarks.stream_costs import costs
from tests.benchmarks.stream_frames import SYMBOLS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = ("schwab-py==1.5.1", "redis==8.1.0", "hiredis==3.5.0")
INSTALL_LIMIT_S = 180
LIMIT_S = 120.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
OURS, PUBLISH_ONLY, THEIRS = "ours, streams + AOF", "ours, PUBLISH only", "schwab-py"
CPU_OF = "feed / streamer / redis / subscriber"
COUNTS = {THEIRS: 10_000, OURS: 150_000, PUBLISH_ONLY: 150_000}


@dataclass
class Report:
    """What a streamer process last said of itself, and the largest of what it said."""

    events: int = 0
    buffered: int = 0
    buffered_bytes: int = 0
    dropped: int = 0
    flush_errors: int = 0
    most_buffered: int = 0
    most_bytes: int = 0

    def take(self, line: bytes) -> None:
        self.events, self.buffered, self.buffered_bytes, self.dropped, self.flush_errors = map(int, line.split())
        self.most_buffered = max(self.most_buffered, self.buffered)
        self.most_bytes = max(self.most_bytes, self.buffered_bytes)


@dataclass
class Outcome:
    """One measurement; lateness in milliseconds behind the server's stamp."""

    sent: int
    received: int
    rate: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass
class Line:
    """Four processes in a row, ready to carry events."""

    feed: Process
    streamer: Process
    subscriber: Process
    server: EmbeddedServer
    redis: Redis
    report: Report

    @property
    def pids(self) -> dict[str, int]:
        assert self.server.pid is not None
        return {
            "feed": self.feed.pid,
            "streamer": self.streamer.pid,
            "redis": self.server.pid,
            "subscriber": self.subscriber.pid,
        }

    async def carry(self, count: int, rate: int = 0) -> Outcome:
        """Send `count` frames at `rate` a second, 0 for as fast as they are taken, and wait for the last event."""
        await self.settle(0)
        await self.redis.publish("bench:start", b"")
        await _words(self.subscriber)
        before, cpu_before = self.report.events, self.cpu_s()
        sent, began_s, _ = await self.feed_frames(count, rate)
        await self.settle(before + int(sent))
        cpu = {name: used - cpu_before[name] for name, used in self.cpu_s().items()}
        await self.redis.publish("bench:end", b"")
        received, last_s, p50, p99, most = map(float, await _words(self.subscriber))
        took_s = last_s - began_s
        shares = {name: used / took_s for name, used in cpu.items()}
        return Outcome(int(sent), int(received), received / took_s, p50 / 1000, p99 / 1000, most / 1000, shares)

    async def feed_frames(self, count: int, rate: int) -> tuple[float, float, float]:
        """How many were sent, when that began, how long it took."""
        assert self.feed.stdin is not None
        self.feed.stdin.write(b"%d %d\n" % (count, rate))
        sent, began_s, took_s = map(float, await _words(self.feed))
        return sent, began_s, took_s

    async def settle(self, events: int) -> None:
        """Wait until the streamer has read that many events and Redis has all it kept."""
        async with asyncio.timeout(LIMIT_S):
            while self.report.events < max(events, len(SYMBOLS)) or self.report.buffered:
                await asyncio.sleep(0.02)

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds used so far, by process."""
        return {name: _cpu_s(pid) for name, pid in self.pids.items()}


def _cpu_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS_PER_S


def _memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


async def _words(process: Process) -> list[str]:
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT_S):
        line = await process.stdout.readline()
    if not line:
        raise RuntimeError("A process of the benchmark ended; its last words are above.")
    return line.decode().split()


@asynccontextmanager
async def _process(*command: str | Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _streamer_command(way: str, baseline: Path, feed_port: str, url: str) -> Sequence[str | Path]:
    if way == THEIRS:
        return (baseline, HERE / "stream_schwab_py.py", feed_port, url, ",".join(SYMBOLS))
    options = ["--no-streams"] if way == PUBLISH_ONLY else []
    return (sys.executable, "-m", "tests.benchmarks.stream_ours", feed_port, url, *options)


async def _follow(streamer: Process, report: Report) -> None:
    assert streamer.stdout is not None
    async for line in streamer.stdout:
        report.take(line)


@asynccontextmanager
async def open_line(way: str, baseline: Path, mode: str = "count") -> AsyncIterator[Line]:
    """Everything started anew, so that no run inherits another's memory."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="gexcord-bench-"))
        server = await stack.enter_async_context(open_embedded_server(Path(folder)))
        redis = await stack.enter_async_context(Redis.from_url(server.url, socket_timeout=None))
        feed = await stack.enter_async_context(_process(sys.executable, "-m", "tests.benchmarks.stream_feed"))
        subscriber = await stack.enter_async_context(
            _process(sys.executable, HERE / "stream_subscriber.py", server.url.removeprefix("unix://"), mode)
        )
        await _words(subscriber)
        (port,) = await _words(feed)
        streamer = await stack.enter_async_context(_process(*_streamer_command(way, baseline, port, server.url)))
        await _words(feed)
        report = Report()
        follower = asyncio.create_task(_follow(streamer, report), name="follow the streamer")
        try:
            yield Line(feed, streamer, subscriber, server, redis, report)
        finally:
            follower.cancel()
            await asyncio.wait({follower})


def _baseline_python() -> Path:
    """A Python with schwab-py in it, installed once."""
    version = ".".join(map(str, sys.version_info[:3]))
    home = Path(tempfile.gettempdir()) / f"gexcord-bench-{os.getuid()}-{version}-{'-'.join(BASELINE)}"
    python, ready = home / "bin" / "python", home / "ready"
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another run may be installing it
        if not ready.exists():
            venv.create(home, with_pip=True, clear=True)
            command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *BASELINE]
            subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S, capture_output=True)
            ready.touch()
    return python


async def _throughput(baseline: Path, rounds: int, scale: float) -> None:
    outcomes: dict[str, list[Outcome]] = {way: [] for way in COUNTS}
    for _ in range(rounds):
        for way, count in COUNTS.items():
            async with open_line(way, baseline) as line:
                await line.carry(int(count * scale / 10))
                outcomes[way].append(await line.carry(int(count * scale)))
    rates = {way: statistics.median(one.rate for one in several) for way, several in outcomes.items()}
    base_us = _streamer_us(outcomes[THEIRS])
    print(f"\nsustained, median of {rounds}          events/s   ratio    lost  CPU us/event  ratio   CPU {CPU_OF}")
    for way, several in outcomes.items():
        lost = sum(one.sent - one.received for one in several)
        print(
            f"  {way:<25}{rates[way]:>12,.0f} {rates[way] / rates[THEIRS]:>6.1f}x {lost:>7,}"
            f" {_streamer_us(several):>13.1f} {base_us / _streamer_us(several):>5.1f}x   {_shares(several)}"
        )
    print(f"  streams + AOF against PUBLISH only: {rates[OURS] / rates[PUBLISH_ONLY]:.0%} (target 85 %)")
    print(f"  ours against schwab-py: {rates[PUBLISH_ONLY] / rates[THEIRS]:.1f}x (target 28x)")
    steps = costs()
    rest = _streamer_us(outcomes[OURS]) - sum(steps.values())
    told = ", ".join(f"{name} {used:.1f}" for name, used in steps.items())
    print(f"  of our CPU us/event: {told}; sockets, event loop, session and counters {rest:.1f}")


def _streamer_us(several: Sequence[Outcome]) -> float:
    """Processor time of the streamer for one event, which other work on the machine disturbs less than the rate."""
    return statistics.median(one.cpu["streamer"] / one.rate * 1e6 for one in several)


def _shares(several: Sequence[Outcome]) -> str:
    names = several[0].cpu
    return " / ".join(f"{statistics.median(one.cpu[name] for one in several):.0%}" for name in names)


async def _latency(baseline: Path, seconds: float) -> None:
    print(f"\nsteady, from the server's stamp       p50 ms    p99 ms    max ms      lost   CPU {CPU_OF}")
    for way, rate in ((THEIRS, 10_000), (PUBLISH_ONLY, 10_000), (OURS, 10_000), (OURS, 50_000)):
        async with open_line(way, baseline, "latency") as line:
            await line.carry(rate, rate)
            one = await line.carry(int(rate * (min(seconds, 2.0) if way == THEIRS else seconds)), rate)
        lost = one.sent - one.received
        print(
            f"  {f'{way}, {rate:,}/s':<34}{one.p50_ms:>9,.2f} {one.p99_ms:>9,.2f} {one.max_ms:>9,.1f} {lost:>9,}"
            f"   {_shares([one])}"
        )


async def _memory(baseline: Path, seconds: float) -> None:
    """50,000 a second offered: as it goes, and with a Redis that is stopped for longer than the watchdog waits."""
    print("\nmemory at 50,000/s offered         RSS MB   peak MB   buffered most      dropped   lost at the subscriber")
    async with open_line(OURS, baseline) as line:
        await line.carry(20_000, 10_000)
        for name, stall_s in (("Redis well", 0.0), (f"Redis stopped {seconds:g} s", seconds)):
            before = _memory_mb(line.streamer.pid, "VmRSS")
            dropped = line.report.dropped
            async with asyncio.TaskGroup() as group:
                work = group.create_task(line.carry(int(50_000 * (seconds + 2)), 50_000))
                if stall_s:
                    group.create_task(_stall(line, stall_s))
            one = work.result()
            print(
                f"  {name:<30}{before:>9,.0f} {_memory_mb(line.streamer.pid, 'VmHWM'):>9,.0f}"
                f" {line.report.most_buffered:>9,} = {line.report.most_bytes / 1e6:.0f} MB"
                f" {line.report.dropped - dropped:>8,} {one.sent - one.received:>10,}"
            )


async def _stall(line: Line, seconds: float) -> None:
    assert line.server.pid is not None
    await asyncio.sleep(1.0)
    before = line.report.events
    os.kill(line.server.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(line.server.pid, signal.SIGCONT)
    read = line.report.events - before
    print(f"  while Redis was stopped: {read:,} events read in {seconds:g} s, {read / seconds:,.0f}/s")


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each steady run")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", choices=("throughput", "latency", "memory"))
    arguments = parser.parse_args()
    baseline = await asyncio.to_thread(_baseline_python)
    seconds = 2.0 if arguments.quick else arguments.seconds
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the start")
    if arguments.only in (None, "throughput"):
        await _throughput(baseline, 1 if arguments.quick else arguments.rounds, 0.2 if arguments.quick else 1.0)
    if arguments.only in (None, "latency"):
        await _latency(baseline, seconds)
    if arguments.only in (None, "memory"):
        await _memory(baseline, seconds)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    asyncio.run(main())
