"""What a session takes as history: bytes on the disk, CPU and memory of closing it.

`python -m tests.benchmarks.history [--seconds N]` computes N seconds of snapshots of SPX and NDX, full size, spot
moving, writes them as a recorder with `GEX_RECORD=true` does and as the history's journal, closes the day from both
and prints megabytes for a session of 6.5 h at one snapshot a second of each. The baseline is the recording.
"""

import argparse
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from streaming.bus.codec import decode_snapshot, encode_snapshot
from streaming.history.closing import close_day
from streaming.history.history_files import HistoryFiles
from streaming.recording.record_lines import day_of, levels_only, parse_line, snapshot_line
from streaming.recording.recording_files import parts_in
from streaming.recording.writer import RecordWriter
from tests.benchmarks.inputs import whole_chain
from tests.benchmarks.record import CHAINS, SESSION_S, show, snapshots

DAY = "2026-11-20"
SHIFT_FROM = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=300)
    options = parser.parse_args()
    tables = [whole_chain(name, ticker) for ticker, name in CHAINS.items()]
    for table in tables:
        show(table.said)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), [snapshots(table.payload, options.seconds) for table in tables])
    return 0


def measure(folder: Path, tickers: list[list[bytes]]) -> None:
    whole, lean = folder / "recordings", folder / "history" / "journal"
    per_session = SESSION_S / len(tickers[0])
    with RecordWriter(whole, max_mb=100_000) as recording, RecordWriter(lean, max_mb=100_000) as journal:
        for second in zip(*tickers, strict=True):
            moved = [moved_line(line) for line in second]
            recording.write({("snapshots", DAY): [line for line, _ in moved]})
            journal.write({("snapshots", DAY): [line for _, line in moved]})
    files = HistoryFiles(folder / "history")
    seconds = {}
    for name, parts in (("levels", parts_in(lean)), ("levels and curves", parts_in(whole))):
        began_s = time.process_time()
        closed = close_day(files, date.fromisoformat(DAY), parts, lambda _: None, now=datetime.now(UTC))
        seconds[name] = time.process_time() - began_s
        show(f"closing from {name}: {closed.snapshots} new, {seconds[name] * per_session:.0f} s of CPU a session")
    sizes = {"compressed JSON of whole snapshots (baseline)": total(whole), "journal of levels": total(lean)}
    for table in ("levels", "curves"):
        sizes[f"{table} in Parquet"] = sum(file.size for file in files.parquet_files() if file.table == table)
    baseline = total(whole)
    for name, size in sizes.items():
        show(f"{name:46}{size * per_session / 1e6:8.1f} MB a session{size / baseline:8.3f}")
    show(f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def moved_line(line: bytes) -> tuple[bytes, bytes]:
    """The snapshot whole and in levels, moved to the benchmark's session."""
    found = decode_snapshot(bytes(parse_line(line).snapshot))
    moved = SHIFT_FROM.timestamp() * 1000 + (found.seq * 1000)
    seen = type(found)(**{name: getattr(found, name) for name in found.__struct_fields__} | {"asof_ms": int(moved)})
    assert day_of(seen.asof_ms) == DAY
    lines = (snapshot_line(seen.asof_ms, encode_snapshot(one)) for one in (seen, levels_only(seen)))
    return tuple(lines)  # type: ignore[return-value]


def total(folder: Path) -> int:
    return sum(part.size for part in parts_in(folder))


if __name__ == "__main__":
    sys.exit(main())
