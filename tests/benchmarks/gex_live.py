"""From tick to published snapshot, with SPX and NDX at full size, and what the event loop notices of it.

`python -m tests.benchmarks.gex_live [--seconds N] [--pace S]` runs the simulated Schwab in a process of its own (SPX as
a chain was, captured or made up, NDX listed as widely), a real Redis, and the real streamer with its engine process; a
subscriber in a third process notes when each snapshot arrives. Two figures per snapshot:

- "published after": from the newest tick or quote in it, or from the moment the pace allowed a computation if that was
  later, to its arrival at the subscriber;
- "age of the tick": from that tick or quote alone; with a pace of 1 s it is what the pace costs.

A 1 kHz timer on the streamer's loop shows how long anything held it; the baseline is the same timer on the idle loop
of another process at the same time, which shows what the machine itself adds.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import statistics
import sys
import tempfile
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

import msgspec
import redis as sync_redis
from pydantic import SecretStr

from streaming.bus import keys
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.chains.files.chain_files import parse_any
from streaming.clock import ShiftedClock
from streaming.engine.engine_host import EngineHost
from streaming.model import GexSnapshot, OptionQuote, TickEvent
from streaming.settings import StreamSettings
from streaming.sim.local_schwab import open_sim
from streaming.sim.prices import listing
from streaming.sim.world.market import Market
from streaming.streamer.runtime import open_runtime
from streaming.streamer.streamer import Streamer
from streaming.symbols import parse_ticker
from tests.benchmarks.inputs import interpreter, whole_chain
from tests.support.redis_server import plain_redis

CHAIN = "spx_20230914.csv.gz"
NAMES = ("SPX", "NDX")
MANY = {"_DAILIES": 34, "_MONTHLIES": 20}
WARM_UP_S = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--chain", type=Path)
    parser.add_argument("--part", choices=("sim", "subscriber", "probe"), help=argparse.SUPPRESS)
    parser.add_argument("--redis-url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "sim":
        asyncio.run(simulate(options.chain))
    elif options.part == "subscriber":
        subscribe(options.redis_url)
    elif options.part == "probe":
        print(json.dumps(asyncio.run(probe_for(options.seconds))))
    else:
        asyncio.run(measure(options))


async def simulate(path: Path | None) -> None:
    """The sim's process: says where it is, logs in, and ends with its input."""
    chain = parse_any(whole_chain(CHAIN, "SPX", given=path).payload)
    clock = ShiftedClock(chain.asof)
    with patch.multiple(listing, **MANY):
        market = Market.from_chain(chain, seed=7)
    sizes = {name: len(market.board(f"${name}").lines) for name in NAMES}
    async with open_sim(market, clock, client_id="id", client_secret="secret") as sim:
        facts = {"url": sim.url, "token": sim.issue_token(), "now": clock.now().isoformat(), "sizes": sizes}
        print(json.dumps(facts), flush=True)
        await asyncio.to_thread(sys.stdin.read)


class Head(msgspec.Struct):
    ticker: str
    seq: int


def subscribe(url: str) -> None:
    """The subscriber's process: one line per snapshot."""
    decode = msgspec.json.Decoder(Head).decode
    pubsub = sync_redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(keys.SNAPSHOT_STREAM)
    for message in pubsub.listen():
        arrived_s = time.monotonic()
        head = decode(message["data"])
        print(f"{head.ticker} {head.seq} {arrived_s:.6f}", flush=True)


class Watch:
    """Notes when ticks and quotes arrive, when computations begin, and which snapshot each became."""

    def __init__(self, pace_s: float) -> None:
        self.pace_s = pace_s
        self.arrivals: dict[str, list[float]] = defaultdict(list)
        self.begun: dict[str, float] = {}
        self.ready: dict[tuple[str, int], tuple[float, float]] = {}
        """(ticker, seq) -> (arrival of the newest tick in it, when it could be computed at the earliest)."""
        self.took_ms: list[float] = []
        self.stored_ms: list[float] = []

    def time_storing(self, store: SnapshotStore) -> None:
        """Note how long each `put` takes: the way to Redis and back, and what Redis does before it publishes."""
        put = store.put

        async def timed(snapshot: GexSnapshot) -> None:
            began_s = time.monotonic()
            await put(snapshot)
            self.stored_ms.append(1000 * (time.monotonic() - began_s))

        store.put = timed

    def host(self) -> type[EngineHost]:
        watch = self

        class Watched(EngineHost):
            def take(self, events):
                now_s = time.monotonic()
                for event in events:
                    symbol = event.symbol if isinstance(event, (TickEvent, OptionQuote)) else ""
                    for name in NAMES:
                        if symbol == f"${name}" or symbol.startswith(name):
                            watch.arrivals[name].append(now_s)
                super().take(events)

            async def compute(self, name, now):
                began_s = time.monotonic()
                newest = watch.arrivals[name]
                tick_s = newest[bisect_right(newest, began_s) - 1] if newest else began_s
                allowed_s = watch.begun.get(name, 0.0) + watch.pace_s
                watch.begun[name] = began_s
                snapshot = await super().compute(name, now)
                watch.took_ms.append(1000 * (time.monotonic() - began_s))
                if snapshot is not None:
                    watch.ready[name, snapshot.seq] = tick_s, max(tick_s, allowed_s)
                return snapshot

        return Watched


async def probe(late_ms: list[float]) -> None:
    """Lateness of a 1 kHz timer."""
    while True:
        began_s = time.perf_counter()
        await asyncio.sleep(0.001)
        late_ms.append((time.perf_counter() - began_s - 0.001) * 1000)


async def probe_for(seconds: float) -> list[float]:
    late_ms: list[float] = []
    task = asyncio.create_task(probe(late_ms))
    await asyncio.sleep(seconds)
    task.cancel()
    return late_ms


async def child(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.gex_live", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def measure(options: argparse.Namespace) -> None:
    print(whole_chain(CHAIN, "SPX", given=options.chain).said)
    print(interpreter())
    given = () if options.chain is None else ("--chain", str(options.chain))
    sim = await child("--part", "sim", *given)
    with tempfile.TemporaryDirectory() as name, plain_redis(Path(name)) as (url, _):
        folder = Path(name)
        facts = json.loads(await sim.stdout.readline())
        subscriber = await child("--part", "subscriber", "--redis-url", url)
        seen: dict[tuple[str, int], float] = {}
        reading = asyncio.create_task(read_lines(subscriber, seen))
        watch = Watch(options.pace)
        try:
            late_ms, idle_ms = await stream(facts, folder, url, watch, options)
            await asyncio.sleep(0.5)
        finally:
            reading.cancel()
            subscriber.kill()
            sim.stdin.close()
            await subscriber.wait()
            await sim.wait()
        report(facts, watch, seen, late_ms, idle_ms)


async def read_lines(process: asyncio.subprocess.Process, seen: dict[tuple[str, int], float]) -> None:
    async for line in process.stdout:
        ticker, seq, arrived_s = line.split()
        seen[ticker.decode(), int(seq)] = float(arrived_s)


async def stream(
    facts: dict, folder: Path, url: str, watch: Watch, options: argparse.Namespace
) -> tuple[list[float], list[float]]:
    """Stream until every expiry is loaded and then for the time asked for; a timer's lateness here and elsewhere."""
    tokens = folder / "tokens"
    tokens.mkdir(mode=0o700)
    (tokens / "token.json").write_text(json.dumps(facts["token"]))
    (tokens / "token.json").chmod(0o600)
    settings = StreamSettings(
        _env_file=None,
        schwab_client_id=SecretStr("id"),
        schwab_client_secret=SecretStr("secret"),
        schwab_api_url=facts["url"],
        schwab_symbols=("SPY", "QQQ", "/MNQ", "/MES"),
        schwab_token_path=tokens / "token.json",
        redis_url=url,
        gex_chain_days=1000,
        gex_chain_requests_per_minute=120,
        gex_pace_seconds=options.pace,
    )
    clock = ShiftedClock(datetime.fromisoformat(facts["now"]))
    tickers = [parse_ticker(name) for name in NAMES]
    gc.collect()
    gc.freeze()  # as the program does once it has started
    with patch("streaming.streamer.parts.EngineHost", watch.host()):
        async with open_runtime(settings, clock, tell=lambda _line: None) as runtime:
            watch.time_storing(runtime.snapshots)
            streamer = Streamer(runtime, tickers, rng=random.Random(1))
            task = asyncio.create_task(streamer.run(lambda: None))
            try:
                print("loading all expiries once, within the request budget ...", flush=True)
                while not all(any(key[0] == name for key in watch.ready) for name in NAMES):
                    await asyncio.sleep(0.2)
                    if task.done():
                        task.result()
                await asyncio.sleep(WARM_UP_S)
                watch.ready.clear()
                watch.took_ms.clear()
                watch.stored_ms.clear()
                elsewhere = await child("--part", "probe", "--seconds", str(options.seconds))
                late_ms = await probe_for(options.seconds)
                idle_ms = json.loads((await elsewhere.communicate())[0])
                status = streamer.status()
                print(
                    f"engine ready after {status.engine_start_ms:.0f} ms, restarts {status.engine_restarts}, "
                    f"REST {status.requests_used}/{status.requests_per_minute}, {status.frames_per_s:.1f} frames/s"
                )
                return late_ms, idle_ms
            finally:
                task.cancel()
                await asyncio.wait({task})


def report(
    facts: dict, watch: Watch, seen: dict[tuple[str, int], float], late_ms: Sequence[float], idle_ms: Sequence[float]
) -> None:
    pairs = [(at_s, *watch.ready[key]) for key, at_s in seen.items() if key in watch.ready]
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"{facts['sizes']} contracts, {len(pairs)} snapshots at a pace of {watch.pace_s} s, load {load}")
    row("published after", [1000 * (at_s - ready_s) for at_s, _, ready_s in pairs], "target p50 <= 7, p99 <= 15 ms")
    row("age of the tick", [1000 * (at_s - tick_s) for at_s, tick_s, _ in pairs])
    row("computing, there and back", watch.took_ms)
    row("storing", watch.stored_ms, "SET, PUBLISH and XADD in one round trip")
    row("1 kHz timer late", late_ms, f"target max <= 5 ms; p99 {p99(late_ms) / p99(idle_ms):.1f} x the idle loop's")
    row("1 kHz timer late, elsewhere", idle_ms, "baseline: an idle loop")


def row(name: str, values: Sequence[float], note: str = "") -> None:
    cuts = statistics.quantiles(values, n=1000)
    print(f"{name:<30} p50 {cuts[499]:7.2f}  p99 {cuts[989]:7.2f}  max {max(values):7.2f} ms  {note}")


def p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


if __name__ == "__main__":
    main()
