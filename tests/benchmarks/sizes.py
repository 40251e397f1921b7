"""How much a bot takes, for each ticker, channel and day: what `specs/operations.md` says under sizes.

`python -m tests.benchmarks.sizes [--seconds 75]` runs the demo with SPX and NDX, asks its Redis for the memory of each
key and Linux for that of each process, counts its log, and backs up a made-up year of ten tickers.
"""

import argparse
import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis

from bot.setup.backup import BackupOrder, back_up
from bot.setup.restore import RestoreOrder, restore
from streaming.bus import keys
from streaming.clock import SystemClock, date_of
from streaming.history.history_files import DayReport, HistoryFiles
from tests.benchmarks.demo import resident_mb
from tests.support.history import DAY, closed_days, path

ROOT = Path(__file__).resolve().parents[2]
REDIS = re.compile(r"Redis: (unix://\S+)")
SESSION_S = 6.5 * 3600
HISTORY_STEP_S = 5
TICKERS, DAYS = 10, 250


def children(pid: int) -> list[int]:
    """The processes that a process has started, and those that they have."""
    own = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [found for child in own for found in (child, *children(child))]


def name_of(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    known = {"engine.worker": "an engine", "valkey-server": "its Redis", "chart": "the chart worker"}
    return next((title for mark, title in known.items() if mark in command), "another process")


def lines_of(log: str) -> int:
    return len(Path(log).read_text().splitlines())


def of_redis(client: redis.Redis) -> None:
    for ticker in ("SPX", "NDX"):
        stream = keys.history(ticker)
        count, size = client.xlen(stream), client.memory_usage(stream, samples=0)
        session_mb = size / count * SESSION_S / HISTORY_STEP_S / 1e6
        print(f"{stream}: {count} entries, {size / count / 1e3:.1f} kB each, {session_mb:.0f} MB a session")
        for key in (keys.snapshot(ticker), keys.day_map(ticker)):
            print(f"{key}: {(client.memory_usage(key) or 0) / 1e3:.0f} kB")
    for stream in (keys.TICKS_STREAM, keys.LEVEL2_STREAM, keys.CANDLES_STREAM):
        if count := client.xlen(stream):
            print(f"{stream}: {count} entries, {client.memory_usage(stream, samples=0) / count / 1e3:.2f} kB each")
    ledger = client.hgetall(keys.FEED_LEDGER)
    print(f"{keys.FEED_LEDGER}: {client.memory_usage(keys.FEED_LEDGER) / len(ledger):.0f} bytes a channel")
    hashes = (keys.STREAM_METRICS, keys.FEED_METRICS, keys.SOURCE_METRICS, keys.ALERT_METRICS)
    print(f"metrics: {sum(client.memory_usage(key) or 0 for key in hashes) / 1e3:.0f} kB")


def run_demo(seconds: float) -> None:
    """Print what a demo takes after so many seconds."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
        demo = subprocess.Popen(
            [sys.executable, str(ROOT / "run_bot.py"), "--demo"],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            url = next(match[1] for line in demo.stdout if (match := REDIS.search(line)))
            time.sleep(seconds / 2)
            begun = lines_of(log.name)
            time.sleep(seconds / 2)
            with redis.Redis.from_url(url) as client:
                of_redis(client)
            print(f"the demo itself: {resident_mb(demo.pid):.0f} MB")
            for child in children(demo.pid):
                print(f"{name_of(child)}: {resident_mb(child):.0f} MB")
            later = lines_of(log.name) - begun
            print(f"log: {begun} lines in the first half, then {later / seconds * 120:.1f} a minute")
        finally:
            demo.send_signal(signal.SIGTERM)
            demo.wait(30)


def year_of_rows(folder: Path) -> int:
    """A history of ten tickers over 250 days, each day a real report; the bytes of one."""
    spots = path(("09:30", 6400.0), ("16:00", 6455.0), step_s=600)
    made = closed_days(folder / "made", {DAY: spots}).report("SPX", DAY.isoformat())
    assert made is not None
    files = HistoryFiles(folder / ".history")
    for number in range(TICKERS * DAYS):
        day = date_of(f"2025-{number % DAYS // 28 + 1:02}-{number % 28 + 1:02}")
        files.add_report(DayReport(ticker=f"T{number // DAYS}", day=str(day), rows=made.rows, grades=made.grades))
    [report, *_] = (folder / ".history" / "days").rglob("*.json")
    return report.stat().st_size


def run_backup() -> None:
    """Print what a year's backup takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"a day's report of a ticker: {year_of_rows(folder) / 1e3:.1f} kB")
        os.chdir(folder)
        (folder / ".env").write_text("GEX_FEED_SYMBOL=SPX\n")
        steps = {
            "backup": back_up(BackupOrder(target=folder / "b", passphrase="correct horse"), SystemClock(), tell=print),
            "restore": restore(
                RestoreOrder(source=folder / "b", passphrase="correct horse", folder=folder / "new"),
                SystemClock(),
                tell=print,
            ),
        }
        for step, work in steps.items():
            began_s = time.monotonic()
            asyncio.run(work)
            print(f"{step}: {time.monotonic() - began_s:.1f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=75)
    arguments = parser.parse_args()
    run_demo(arguments.seconds)
    run_backup()
