"""Server's socket to subscriber, four processes: our stream path against schwab-py's, in the same run.

`python -m tests.benchmarks.stream [--rounds N] [--bursts N] [--neighbours N] [--quick]`: frames from a second process
over a loopback WebSocket are decoded, merged and published to an embedded Redis with AOF on; a subscriber in a third
process counts them. The baseline is what people run today: schwab-py 1.5.1's StreamClient, `json.dumps`, one awaited
publish per event, in an environment that this benchmark installs once and keeps in the temporary folder.

First in Schwab's framing, which sends all that changed within a second in a frame for each service: as fast as it is
taken, then once a second. Then the lab's mix of one row a frame, a fifth of them books of 48 venues. Rates are rows a
second and medians of interleaved rounds; the CPU shares tell what limits them (100 % is one core).
"""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from tests.benchmarks.stream_costs import costs
from tests.benchmarks.stream_line import (
    OURS,
    PUBLISH_ONLY,
    THEIRS,
    Line,
    Outcome,
    Setup,
    baseline_python,
    memory_mb,
    open_line,
)

CPU_OF = "feed / streamer / redis / subscriber"
ROWS = {THEIRS: 10_000, OURS: 150_000, PUBLISH_ONLY: 150_000}
BURSTS = (60, 220, 1_000, 2_500, 8_000)
"""The last is every symbol of 3,000 shares and 5,000 options; schwab-py takes longer for it than a second."""
SUSTAINED = "220"
TARGETS = {SUSTAINED: 40, "lab": 28}
P99_TARGETS_MS = {220: 3, 2_500: 20}
HELD_TARGET_MS = 5


async def _throughput(setup: Setup, rounds: int, scale: float) -> None:
    schwab = setup.mix != "lab"
    of_unit = int(setup.mix) if schwab else 1
    outcomes: dict[str, list[Outcome]] = {way: [] for way in ROWS}
    for _ in range(rounds):
        for way, rows in ROWS.items():
            async with open_line(way, setup) as line:
                units = int(rows * scale * (4 if schwab else 1)) // of_unit
                await line.carry(max(1, units // 10))
                outcomes[way].append(await line.carry(units))
    rates = {way: statistics.median(one.rate for one in several) for way, several in outcomes.items()}
    base_us = _streamer_us(outcomes[THEIRS])
    print(f"\nsustained, median of {rounds}            rows/s   ratio    lost    CPU us/row  ratio   CPU {CPU_OF}")
    for way, several in outcomes.items():
        lost = sum(one.sent - one.received for one in several)
        print(
            f"  {way:<25}{rates[way]:>12,.0f} {rates[way] / rates[THEIRS]:>6.1f}x {lost:>7,}"
            f" {_streamer_us(several):>13.1f} {base_us / _streamer_us(several):>5.1f}x   {_shares(several)}"
        )
    by_round = [ours.rate / theirs.rate for ours, theirs in zip(outcomes[PUBLISH_ONLY], outcomes[THEIRS], strict=True)]
    print(f"  streams + AOF against PUBLISH only: {rates[OURS] / rates[PUBLISH_ONLY]:.0%} (target 85 %)")
    print(
        f"  ours against schwab-py: {rates[PUBLISH_ONLY] / rates[THEIRS]:.1f}x (target {TARGETS[setup.mix]}x);"
        f" by round {', '.join(f'{ratio:.1f}' for ratio in by_round)}"
    )
    steps = costs(setup.mix)
    rest = _streamer_us(outcomes[OURS]) - sum(steps.values())
    told = ", ".join(f"{name} {used:.1f}" for name, used in steps.items())
    print(f"  of our CPU us/row: {told}; sockets, event loop, session and counters {rest:.1f}")


def _streamer_us(several: Sequence[Outcome]) -> float:
    """Processor time of the streamer for one event, which other work on the machine disturbs less than the rate."""
    return statistics.median(one.cpu["streamer"] / one.rate * 1e6 for one in several)


def _shares(several: Sequence[Outcome]) -> str:
    names = several[0].cpu
    return " / ".join(f"{statistics.median(one.cpu[name] for one in several):.0%}" for name in names)


async def _bursts(setup: Setup, bursts: int) -> None:
    """All that changed, once a second; books once more in between."""
    print(f"\n{bursts} bursts, one a second: the last row at a subscriber, and the longest hold of our event loop")
    print(f"(target {HELD_TARGET_MS} ms); of fewer than a hundred bursts p99 is the worst")
    print("                                    p50 ms    p99 ms    max ms      lost   held ms  of CPU   RSS MB")
    for way in (PUBLISH_ONLY, OURS, THEIRS):
        for rows in BURSTS[:-1] if way == THEIRS else BURSTS:
            async with open_line(way, replace(setup, mix=str(rows), mode="bursts")) as line:
                await line.carry(3, 1)
                one = await line.carry(min(bursts, 5) if way == THEIRS else bursts, 1)
                report, resident_mb = line.report, memory_mb(line.streamer.pid, "VmRSS")
            target = f"   target p99 {P99_TARGETS_MS[rows]}" if way == PUBLISH_ONLY and rows in P99_TARGETS_MS else ""
            held = "" if way == THEIRS else f"{report.held_us / 1000:.1f} {report.held_cpu_us / 1000:>7.1f}"
            print(
                f"  {f'{way}, {rows:,} rows':<32}{one.p50_ms:>9,.2f} {one.p99_ms:>9,.2f} {one.max_ms:>9,.1f}"
                f" {one.sent - one.received:>9,} {held:>17} {resident_mb:>8,.0f}{target}"
            )


async def _latency(setup: Setup, seconds: float) -> None:
    print(f"\nsteady, from the server's stamp       p50 ms    p99 ms    max ms      lost   CPU {CPU_OF}")
    for way, rate in ((THEIRS, 10_000), (PUBLISH_ONLY, 10_000), (OURS, 10_000), (OURS, 50_000)):
        async with open_line(way, replace(setup, mode="latency")) as line:
            await line.carry(rate, rate)
            one = await line.carry(int(rate * (min(seconds, 2.0) if way == THEIRS else seconds)), rate)
        lost = one.sent - one.received
        print(
            f"  {f'{way}, {rate:,}/s':<34}{one.p50_ms:>9,.2f} {one.p99_ms:>9,.2f} {one.max_ms:>9,.1f} {lost:>9,}"
            f"   {_shares([one])}"
        )


async def _memory(setup: Setup, seconds: float) -> None:
    """50,000 a second offered: as it goes, and with a Redis that is stopped for longer than the watchdog waits."""
    print("\nmemory at 50,000/s offered         RSS MB   peak MB   buffered most      dropped   lost at the subscriber")
    async with open_line(OURS, setup) as line:
        await line.carry(20_000, 10_000)
        for name, stall_s in (("Redis well", 0.0), (f"Redis stopped {seconds:g} s", seconds)):
            before = memory_mb(line.streamer.pid, "VmRSS")
            dropped = line.report.dropped
            async with asyncio.TaskGroup() as group:
                work = group.create_task(line.carry(int(50_000 * (seconds + 2)), 50_000))
                if stall_s:
                    group.create_task(_stall(line, stall_s))
            one = work.result()
            print(
                f"  {name:<30}{before:>9,.0f} {memory_mb(line.streamer.pid, 'VmHWM'):>9,.0f}"
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


def _interpreter() -> str:
    """Name and version of this Python, and whether it was built with what makes it faster."""
    optimised = "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS"))
    return f"{platform.python_implementation()} {platform.python_version()}, {'' if optimised else 'not '}optimised"


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bursts", type=int, default=30, help="of each size")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each steady run")
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--neighbours", type=int, default=0, help="processes that compute beside it all the time")
    parser.add_argument("--only", choices=("schwab", "bursts", "lab", "latency", "memory"))
    arguments = parser.parse_args()
    setup = Setup(await asyncio.to_thread(baseline_python))
    beside = f", {arguments.neighbours} computing beside it" if arguments.neighbours else ""
    print(f"{_interpreter()}; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores at the start{beside}")
    with _neighbours(arguments.neighbours):
        await _run(arguments, setup)
    print(f"load average {os.getloadavg()[0]:.1f} at the end")


@contextmanager
def _neighbours(count: int) -> Iterator[None]:
    """So many processes that never stop computing, at the same priority."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


async def _run(arguments: argparse.Namespace, setup: Setup) -> None:
    seconds = 2.0 if arguments.quick else arguments.seconds
    rounds, scale = (1, 0.2) if arguments.quick else (arguments.rounds, 1.0)
    chosen = [arguments.only] if arguments.only else ["schwab", "bursts", "lab", "latency", "memory"]
    if "schwab" in chosen:
        print(f"\nSchwab's framing: {SUSTAINED} rows at once, a frame for each service")
        await _throughput(replace(setup, mix=SUSTAINED), rounds, scale)
    if "bursts" in chosen:
        await _bursts(setup, 5 if arguments.quick else arguments.bursts)
    if not {"lab", "latency", "memory"}.isdisjoint(chosen):
        print("\nThe lab's mix: one row a frame, a fifth of them books of 48 venues")
    if "lab" in chosen:
        await _throughput(setup, rounds, scale)
    if "latency" in chosen:
        await _latency(setup, seconds)
    if "memory" in chosen:
        await _memory(setup, seconds)


if __name__ == "__main__":
    asyncio.run(main())
