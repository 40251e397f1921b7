"""A recorded day of snapshots: bytes on the disk and CPU, against what people write.

`python -m tests.benchmarks.record [--seconds N] [--folder F]` computes N seconds of snapshots of SPX and NDX, full size
(chains of 21,000 contracts, spot moving), then writes the same bytes, one batch a second, in each way and prints
sizes and CPU for a session of 6.5 h at one snapshot a second of each, with ratios to the first baseline.

Baseline "plain lines": JSON lines, one write, flush and fsync a second. Baseline "gzip a line": `gzip.open(path, "ab")`
for every line, as scripts that append do, without fsync. Baseline "one gzip stream": a day in one stream that is closed
at its end, the smallest file and the one that a crash spoils. Ours: a member a batch, fsync, in the writer's thread.
Then the recorder as a process of its own that hears the same snapshots from Redis, ten times as fast: CPU and memory.
"""

import argparse
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import redis as sync_redis

from streaming.bus import keys
from streaming.bus.codec import encode_snapshot
from streaming.bus.snapshots.classic import parse_snapshot
from streaming.bus.snapshots.history_entry import market_day
from streaming.chains.files.chain_files import parse_any
from streaming.clock import epoch_ms
from streaming.gex.engine import GexEngine
from streaming.recording.reader import ReadCounts, read_parts
from streaming.recording.record_lines import snapshot_line
from streaming.recording.recording_files import parts_in
from streaming.recording.writer import RecordWriter
from streaming.symbols import Ticker
from tests.benchmarks.inputs import whole_chain
from tests.support.redis_server import plain_redis

ROOT = Path(__file__).resolve().parents[2]
CHAINS = {"SPX": "spx_20240107.csv.gz", "NDX": "ndx_20240322.csv.gz"}
"""Captured ones beside the project; without them they are made up, at the same size."""
SESSION_S = 23_400
Batch = Sequence[bytes]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure; else the temporary one")
    options = parser.parse_args()
    tables = [whole_chain(name, ticker) for ticker, name in CHAINS.items()]
    for table in tables:
        show(table.said)
    batches = list(zip(*(snapshots(table.payload, options.seconds) for table in tables), strict=True))
    sizes = [statistics.median(len(batch[place]) for batch in batches) for place in range(len(CHAINS))]
    show(f"{len(batches)} s, a snapshot of SPX {sizes[0] / 1e3:.0f} kB, of NDX {sizes[1] / 1e3:.0f} kB")
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        compare(folder, batches)
        as_a_process(folder, batches)
    finally:
        shutil.rmtree(folder)
    return 0


def snapshots(table: bytes, seconds: int) -> list[bytes]:
    """Lines of one ticker, spot moving by some hundredths of a percent a second."""
    chain = parse_any(table)
    engine, rng = GexEngine(Ticker(chain.ticker, chain.ticker), scope="full"), np.random.default_rng(1)
    engine.on_chain(chain)
    lines, spot = [], chain.spot
    for second in range(seconds):
        now = chain.asof + timedelta(seconds=second)
        spot *= 1 + rng.normal(0.0, 1e-4)
        engine.on_spot(spot, epoch_ms(now))
        snapshot = engine.compute(now)
        assert snapshot is not None
        lines.append(snapshot_line(epoch_ms(now), encode_snapshot(snapshot)))
    return lines


def compare(folder: Path, batches: Sequence[Batch]) -> None:
    ways: list[tuple[str, Callable[[Path, Sequence[Batch]], Path]]] = [
        ("baseline: plain lines", plain_lines),
        ("baseline: gzip a line", gzip_a_line),
        ("baseline: one gzip stream", one_stream),
        ("ours", ours),
    ]
    per_session = SESSION_S / len(batches)
    base_bytes = base_cpu = 0.0
    show(f"{'':28}{'MB a session':>14}{'ratio':>8}{'CPU ms a s':>12}{'ratio':>8}{'wall ms a s':>13}")
    for place, (name, write) in enumerate(ways):
        target = folder / f"way{place}"
        target.mkdir()
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        written = write(target, batches)
        wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
        size = sum(path.stat().st_size for path in written.iterdir() if path.suffix in {".jsonl", ".gz"})
        base_bytes, base_cpu = base_bytes or size, base_cpu or cpu_s
        show(
            f"{name:28}{size * per_session / 1e6:14.0f}{size / base_bytes:8.3f}"
            f"{cpu_s * 1e3 / len(batches):12.2f}{cpu_s / base_cpu:8.2f}{wall_s * 1e3 / len(batches):13.2f}"
        )
    read_back(folder / f"way{len(ways) - 1}", batches)


def plain_lines(folder: Path, batches: Sequence[Batch]) -> Path:
    with (folder / "day.jsonl").open("ab") as file:
        for batch in batches:
            file.write(b"".join(batch))
            file.flush()
            os.fsync(file.fileno())
    return folder


def gzip_a_line(folder: Path, batches: Sequence[Batch]) -> Path:
    for batch in batches:
        for line in batch:
            with gzip.open(folder / "day.jsonl.gz", "ab") as file:
                file.write(line)
    return folder


def one_stream(folder: Path, batches: Sequence[Batch]) -> Path:
    with gzip.open(folder / "day.jsonl.gz", "wb", compresslevel=6) as file:
        for batch in batches:
            file.write(b"".join(batch))
    return folder


def ours(folder: Path, batches: Sequence[Batch]) -> Path:
    with RecordWriter(folder, max_mb=100_000) as writer:
        for batch in batches:
            writer.write({("snapshots", "2026-11-20"): batch})
    return folder


def read_back(folder: Path, batches: Sequence[Batch]) -> None:
    """How fast a replay can be fed, by processor time, against `json.loads` on the lines of `gzip.open`."""
    began_s = time.process_time()
    found = list(read_parts(parts_in(folder), ReadCounts()))
    parsed = [parse_snapshot(bytes(line.snapshot), received_ms=line.at) for line in found]
    ours_s = time.process_time() - began_s
    assert len(parsed) == sum(len(batch) for batch in batches)
    assert market_day(parsed[0].asof_ms)
    began_s = time.process_time()
    for path in sorted(folder.glob("*.gz")):
        with gzip.open(path, "rt") as file:
            for line in file:
                json.loads(line)
    naive_s = time.process_time() - began_s
    show(
        f"read back: {len(parsed) / ours_s:.0f} snapshots a CPU second to records; "
        f"baseline gzip.open and json.loads to dictionaries: {len(parsed) / naive_s:.0f}; ratio {naive_s / ours_s:.2f}"
    )


def as_a_process(folder: Path, batches: Sequence[Batch]) -> None:
    """`python -m streaming record` at ten seconds of market a second, all that it does included."""
    (folder / "redis").mkdir()
    with plain_redis(folder / "redis") as (url, _), sync_redis.Redis.from_url(url) as client:
        command = [sys.executable, "-m", "streaming", "record", "--path", str(folder / "process")]
        environment = {"REDIS_URL": url, "PATH": os.environ["PATH"]}
        with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as recorder:
            while client.pubsub_numsub(keys.SNAPSHOT_STREAM)[0][1] == 0:
                time.sleep(0.02)
            cpu_s, memory_mb = usage(recorder.pid)
            for batch in batches:
                for line in batch:
                    client.publish(keys.SNAPSHOT_STREAM, line[line.index(b'"snapshot":') + 11 : -2])
                time.sleep(0.1)
            time.sleep(1.0)
            more_s, peak_mb = usage(recorder.pid)
            recorder.terminate()
    count = len(list(read_parts(parts_in(folder / "process"), ReadCounts())))
    cpu_ms = (more_s - cpu_s) * 1e3 / len(batches)
    show(
        f"as a process: {count} of {sum(map(len, batches))} snapshots, CPU {cpu_ms:.1f} ms"
        f" a s of market, memory {memory_mb:.0f} MB at rest, at most {peak_mb:.0f} MB"
    )


def usage(pid: int) -> tuple[float, float]:
    """CPU seconds and the most memory in MB of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), peak_kb / 1024


def show(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
