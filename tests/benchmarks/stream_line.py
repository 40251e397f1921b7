"""Four processes in a row for the stream's benchmarks: a server, a streamer, Redis and a subscriber."""

import asyncio
import fcntl
import json
import os
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
from tests.benchmarks.stream_frames import Mix, mix_named

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BASELINE = ("schwab-py==1.5.1", "redis==8.1.0", "hiredis==3.5.0")
INSTALL_LIMIT_S = 180
LIMIT_S = 120.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
OURS, PUBLISH_ONLY, THEIRS = "ours, streams + AOF", "ours, PUBLISH only", "schwab-py"


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
    held_us: int = 0
    held_cpu_us: int = 0

    def take(self, line: bytes) -> None:
        self.events, self.buffered, self.buffered_bytes, self.dropped, self.flush_errors, *held = map(int, line.split())
        self.held_us, self.held_cpu_us = max(self.held_us, held[0]), max(self.held_cpu_us, held[1])
        self.most_buffered = max(self.most_buffered, self.buffered)
        self.most_bytes = max(self.most_bytes, self.buffered_bytes)


@dataclass
class Outcome:
    """One measurement; lateness in milliseconds behind the server's stamp."""

    sent: int
    """Rows."""
    received: int
    """Events of these rows that a subscriber got."""
    rate: float
    """Of those a second."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Setup:
    """What is sent, what a subscriber looks at, and the Python with schwab-py in it."""

    baseline: Path
    mix: str = "lab"
    mode: str = "count"


@dataclass
class Line:
    """Four processes in a row, ready to carry events."""

    feed: Process
    streamer: Process
    subscriber: Process
    server: EmbeddedServer
    redis: Redis
    report: Report
    images: int
    makes_more: bool
    """Whether the streamer counts events, which are more than the rows it reads."""

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
        """Send `count` units at `rate` a second, 0 for as fast as they are taken, and wait for the last event."""
        await self.settle(0)
        self.report.held_us = self.report.held_cpu_us = 0
        await self.redis.publish("bench:start", b"")
        await _words(self.subscriber)
        before, cpu_before = self.report.events, self.cpu_s()
        sent, made, began_s, _ = await self.feed_units(count, rate)
        await self.settle(before + int(made if self.makes_more else sent))
        cpu = {name: used - cpu_before[name] for name, used in self.cpu_s().items()}
        await self.redis.publish("bench:end", b"")
        received, last_s, p50, p99, most = map(float, await _words(self.subscriber))
        took_s = last_s - began_s
        shares = {name: used / took_s for name, used in cpu.items()}
        return Outcome(int(sent), int(received), received / took_s, p50 / 1000, p99 / 1000, most / 1000, shares)

    async def feed_units(self, count: int, rate: int) -> tuple[float, float, float, float]:
        """How many rows were sent, how many events we make of them, when that began, how long it took."""
        assert self.feed.stdin is not None
        self.feed.stdin.write(b"%d %d\n" % (count, rate))
        sent, made, began_s, took_s = map(float, await _words(self.feed))
        return sent, made, began_s, took_s

    async def settle(self, events: int) -> None:
        """Wait until the streamer has read that many events and Redis has all it kept."""
        async with asyncio.timeout(LIMIT_S):
            while self.report.events < max(events, self.images) or self.report.buffered:
                await asyncio.sleep(0.02)

    def cpu_s(self) -> dict[str, float]:
        """Processor seconds used so far, by process."""
        return {name: processor_s(pid) for name, pid in self.pids.items()}


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS_PER_S


def memory_mb(pid: int, name: str) -> float:
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


def _streamer_command(way: str, setup: Setup, mix: Mix, feed_port: str, url: str) -> Sequence[str | Path]:
    if way == THEIRS:
        return (setup.baseline, HERE / "stream_schwab_py.py", feed_port, url, json.dumps(mix.symbols))
    options = ["--no-streams"] if way == PUBLISH_ONLY else []
    options += ["--watch"] if setup.mode == "bursts" else []
    return (sys.executable, "-m", "tests.benchmarks.stream_ours", feed_port, url, setup.mix, *options)


async def _follow(streamer: Process, report: Report) -> None:
    assert streamer.stdout is not None
    async for line in streamer.stdout:
        report.take(line)


@asynccontextmanager
async def open_line(way: str, setup: Setup) -> AsyncIterator[Line]:
    """Everything started anew, so that no run inherits another's memory."""
    mix = mix_named(setup.mix)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="gexcord-bench-"))
        server = await stack.enter_async_context(open_embedded_server(Path(folder)))
        redis = await stack.enter_async_context(Redis.from_url(server.url, socket_timeout=None))
        feed = await stack.enter_async_context(
            _process(sys.executable, "-m", "tests.benchmarks.stream_feed", setup.mix)
        )
        subscriber = await stack.enter_async_context(
            _process(sys.executable, HERE / "stream_subscriber.py", server.url.removeprefix("unix://"), setup.mode)
        )
        await _words(subscriber)
        (port,) = await _words(feed)
        streamer = await stack.enter_async_context(_process(*_streamer_command(way, setup, mix, port, server.url)))
        await _words(feed)
        report = Report()
        follower = asyncio.create_task(_follow(streamer, report), name="follow the streamer")
        try:
            yield Line(feed, streamer, subscriber, server, redis, report, mix.images, way != THEIRS)
        finally:
            follower.cancel()
            await asyncio.wait({follower})


def baseline_python() -> Path:
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
