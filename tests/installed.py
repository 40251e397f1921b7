"""An installed Gexcord, seen from outside: `PYTHON -I tests/installed.py`, with the Python of a fresh environment.

It imports every module and runs the demo until both channels show figures. Nothing of the clone is on the path.
"""

import importlib
import json
import pkgutil
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

WITHIN_S = 180.0
"""Beside a whole suite on two cores; alone it takes four."""
URL = re.compile(r"http://127\.0\.0\.1:\d+/")


def import_everything() -> int:
    """Import every module; how many there are."""
    names = [name for top in ("bot", "cogs", "streaming") for name in modules(top)]
    for name in names:
        importlib.import_module(name)
    return len(names)


def modules(package: str) -> list[str]:
    top = importlib.import_module(package)
    found = pkgutil.walk_packages(top.__path__, f"{package}.")
    return [module.name for module in found if not module.name.endswith("__main__")]


def shows_figures(url: str) -> bool:
    with urllib.request.urlopen(f"{url}api/page/state?as=guest", timeout=10) as answer:
        channels = json.load(answer)["messages"].values()
    return sum(any("net gex" in post["content"] for post in posts) for posts in channels) == 2


def run_demo(*command: str) -> float:
    """Seconds from the start of this command to figures in both channels."""
    with tempfile.TemporaryDirectory() as folder:
        began_s = time.monotonic()
        demo = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            url = next(match.group() for line in demo.stdout if (match := URL.search(line)))
            while not shows_figures(url):
                assert time.monotonic() < began_s + WITHIN_S, "no figures in both channels"
                time.sleep(0.1)
            took_s = time.monotonic() - began_s
            demo.send_signal(signal.SIGTERM)
            assert demo.wait(WITHIN_S) == 0
        finally:
            demo.kill()
            demo.wait()
    return took_s


if __name__ == "__main__":
    count = import_everything()
    took_s = run_demo(str(Path(sys.executable).with_name("gexcord")), "--demo")
    sys.stdout.write(f"{sys.version.split()[0]}: {count} modules imported, figures after {took_s:.1f} s\n")
