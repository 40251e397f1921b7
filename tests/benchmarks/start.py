"""How soon the demo is there: `python -m tests.benchmarks.start [--runs 5]`.

Medians over starts of `run_bot.py --demo`, bytecode cached: until the page answers, the first message is posted, and
both channels show figures; then the resident memory of each process of the tree, and what importing costs. The baseline
is commit 9bdb454, where the stand-ins and numpy were in the bot. On a busy machine: `chrt -r 10 python -m ...`.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.demo import ROOT, fetch, proportional_mb, resident_mb

URL = re.compile(r"Open (http://127\.0\.0\.1:\d+/)")
WITHIN_S = 60.0
REST_S = 1.0
"""Before each run: of a process of highest priority the kernel takes a twentieth of each second away."""
MODULES = ("streaming.", "bot.")
BASELINE = {"page": 0.27, "first post": 2.08, "figures": 3.06, "MB bot": 169.8, "MB streaming.engine.worker": 69.4}
QUICK = 'import sys, {module}; print(sorted({{"numpy", "discord", "pydantic", "matplotlib"}} & sys.modules.keys()))'


def answers(url: str) -> dict:
    try:
        return fetch(f"{url}api/page/state?as=guest")
    except urllib.error.URLError:
        return {}


def texts(url: str) -> list[str]:
    return [post["content"] for posts in answers(url).get("messages", {}).values() for post in posts]


def milestones() -> dict[str, float]:
    """Seconds from the start to each, and the memory of the tree."""
    time.sleep(REST_S)
    began_s = time.monotonic()
    demo = subprocess.Popen(
        [sys.executable, str(ROOT / "run_bot.py"), "--demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        url = next(match[1] for line in demo.stdout if (match := URL.search(line)))
        found = {"page": reached(lambda: answers(url), began_s)}
        found["first post"] = reached(lambda: texts(url), began_s)
        found["figures"] = reached(lambda: sum("net gex" in text for text in texts(url)) == 2, began_s)
        found |= dict(memory_of_tree(demo.pid))
        demo.send_signal(signal.SIGTERM)
        demo.wait(WITHIN_S)
    finally:
        demo.kill()
        demo.wait()
    return found


def reached(is_so, began_s: float) -> float:
    while not is_so():
        assert time.monotonic() < began_s + WITHIN_S
        time.sleep(0.01)
    return time.monotonic() - began_s


def memory_of_tree(pid: int) -> Iterator[tuple[str, float]]:
    names = {pid: "bot"}
    for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        names[child] = next((word for word in words if word.startswith(MODULES)), Path(words[0]).name)
    yield from ((f"MB {name}", resident_mb(each)) for each, name in names.items())
    yield from ((f"PSS MB {name}", proportional_mb(each)) for each, name in names.items())


def then(name: str, values: list[float]) -> str:
    """The baseline, and how often it is the median of now."""
    if name not in BASELINE:
        return ""
    return f"   was {BASELINE[name]:.2f}, {BASELINE[name] / statistics.median(values):.2f} ×"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = [milestones() for _ in range(parser.parse_args().runs)]
    for name in runs[0]:
        values = [run[name] for run in runs if name in run]
        each = " ".join(f"{value:.2f}" for value in values)
        print(f"{name:32} {statistics.median(values):8.2f}   {each}{then(name, values)}")
    for module in ("bot.demo.stand_ins", "bot.demo.surroundings", "bot.serve", "bot.host"):
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-c", QUICK.format(module=module)], cwd=ROOT, capture_output=True, text=True, check=True
        )
        after = os.times()
        cpu_s = after.children_user - before.children_user + after.children_system - before.children_system
        print(f"import {module:25} {cpu_s:8.2f}   seconds of CPU, with {done.stdout.strip()}")


if __name__ == "__main__":
    main()
