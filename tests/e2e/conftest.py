"""The programs as their users start them: as processes, in a folder of their own with an `.env`."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENV_TEXT = "# mine\nGEX_FEED_SYMBOL=SPX\nLOG_LEVEL=INFO\n"
URL = re.compile(r"Open (http://127\.0\.0\.1:\d+/).*The bot is connected", re.DOTALL)
"""The page is there before the bot, which tests wait for."""
REDIS = re.compile(r"Redis: (unix://\S+)")


class Program:
    """A started program whose output is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.began_s = time.monotonic()
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, pattern: re.Pattern[str], *, within_s: float) -> re.Match[str]:
        """The first match in the output; an assertion with the output when there is none in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if match := pattern.search(self.output):
                return match
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.05)
        raise AssertionError(f"no {pattern.pattern!r} within {within_s} s in:\n{self.output}")

    def finish(self, *, within_s: float) -> int:
        """The exit status, waited for."""
        status = self.process.wait(timeout=within_s)
        self._reader.join(timeout=5)
        return status

    def stop(self, number: signal.Signals = signal.SIGTERM, *, within_s: float = 12.0) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.finish(within_s=within_s)


class Home:
    """A folder with an `.env`, in which programs are started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.env_file = path / ".env"
        self.env_file.write_text(ENV_TEXT)
        self._programs: list[Program] = []

    def start(self, *arguments: str, **environment: str) -> Program:
        """Start `python ARGUMENTS` here, with nothing of the test machine's settings."""
        keep = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=self.path,
            env=keep | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        program = Program(process)
        self._programs.append(program)
        return program

    def bot(self, *arguments: str, **environment: str) -> Program:
        """Start `run_bot.py`."""
        return self.start(str(ROOT / "run_bot.py"), *arguments, **environment)

    def streaming(self, *arguments: str, **environment: str) -> Program:
        """Start `python -m streaming`."""
        return self.start("-m", "streaming", *arguments, **environment)

    def close(self) -> None:
        """Kill what is left."""
        for program in self._programs:
            if program.process.poll() is None:
                program.process.kill()
            program.process.wait(timeout=10)
            program._reader.join(timeout=5)
            if program.process.stdout is not None:
                program.process.stdout.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A fresh folder; its `.env` must be byte for byte the same in the end."""
    place = Home(tmp_path)
    try:
        yield place
    finally:
        place.close()
    assert place.env_file.read_text() == ENV_TEXT


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Program]]:
    """One demo for all tests of a file that only look at it; it costs every other test while it runs."""
    place = Home(tmp_path_factory.mktemp("demo"))
    try:
        program = place.bot("--demo")
        program.wait_for(URL, within_s=60.0)
        yield place, program
    finally:
        place.close()
    assert place.env_file.read_text() == ENV_TEXT
