"""The demo as a process, watched from outside: edits a second, lag, rate limits, violations, memory.

`python -m tests.benchmarks.demo [--seconds 600]` starts `run_bot.py --demo`, follows the page's own events and
the counters of the local Discord, and prints one table. Limits of the issue: at least 0.95 edits per second and
channel, no 429, no violation, at most 10 MB of growth after the first minute, first post within 5 s.
"""

import argparse
import json
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
URL = re.compile(r"Open (http://127\.0\.0\.1:\d+/)")
SETTLE_S = 60.0


def resident_mb(pid: int) -> float:
    """Resident memory of one process (RSS), counted page by page; the quick figures of /proc are up to 1 MB less."""
    return _of_pages(pid, "Rss")


def proportional_mb(pid: int) -> float:
    """The same with a page that several processes share divided among them (PSS)."""
    return _of_pages(pid, "Pss")


def _of_pages(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))


def fetch(url: str) -> dict:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Watcher(threading.Thread):
    """Counts the page's events until told to stop."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url = url
        self.edits: dict[str, list[float]] = defaultdict(list)
        self.posts: dict[str, list[float]] = defaultdict(list)
        self.running = True

    def run(self) -> None:
        with urllib.request.urlopen(f"{self.url}api/page/events?as=guest", timeout=30) as stream:
            kind = ""
            while self.running:
                line = stream.readline().decode().rstrip("\n")
                if line.startswith("event:"):
                    kind = line.removeprefix("event:").strip()
                elif line.startswith("data:") and kind in {"message_create", "message_update"}:
                    book = self.posts if kind == "message_create" else self.edits
                    book[json.loads(line.removeprefix("data:"))["channel_id"]].append(time.monotonic())


def first_posts(url: str, began_s: float) -> dict[str, float]:
    """Seconds from the start of the process to the first message of each channel, as it becomes visible."""
    found: dict[str, float] = {}
    while len(found) < 2 and time.monotonic() < began_s + 30:
        for channel, posts in fetch(f"{url}api/page/state?as=guest")["messages"].items():
            if posts:
                found.setdefault(channel, time.monotonic() - began_s)
        time.sleep(0.05)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    arguments = parser.parse_args()
    began_s = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run_bot.py"), "--demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    url = next(match.group(1) for line in process.stdout if (match := URL.search(line)))
    page_s = time.monotonic() - began_s
    posts = first_posts(url, began_s)
    watcher = Watcher(url)
    watcher.start()
    memory: list[tuple[float, float]] = []
    watched_s = time.monotonic()
    while (elapsed_s := time.monotonic() - watched_s) < arguments.seconds:
        memory.append((elapsed_s, resident_mb(process.pid)))
        time.sleep(1.0)
    watcher.running = False
    traffic = fetch(f"{url}api/page/traffic")
    process.send_signal(signal.SIGTERM)
    status = process.wait(timeout=15)

    print(f"page announced after      {page_s:6.2f} s")
    print(f"first post after          {max(posts.values()):6.2f} s")
    for channel, times in sorted(watcher.edits.items()):
        gaps = [later - earlier for earlier, later in pairwise(times)]
        p99 = statistics.quantiles(gaps, n=100)[98]
        print(
            f"channel {channel}: {len(times) / arguments.seconds:.3f} edits/s, "
            f"gap median {statistics.median(gaps):.3f} s, p99 {p99:.3f} s, max {max(gaps):.3f} s; "
            f"{len(watcher.posts[channel])} reposts"
        )
    settled = [size for elapsed_s, size in memory if elapsed_s >= min(SETTLE_S, arguments.seconds / 2)]
    growth_mb = settled[-1] - settled[0]
    print(
        f"memory after first minute {settled[0]:6.1f} MB, at the end {settled[-1]:.1f} MB, growth {growth_mb:+.1f} MB"
    )
    print(f"REST answers by status    {traffic['statuses']}")
    print(f"429 answers               {traffic['statuses'].get('429', 0)}")
    print(f"spec violations           {traffic['violations']}")
    print(f"exit status               {status}")


if __name__ == "__main__":
    main()
