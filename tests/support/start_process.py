"""`python -m streaming start` in a process of its own, against a simulator."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from streaming.settings import StreamSettings
from streaming.sim.local_schwab import SimServer

ROOT = Path(__file__).resolve().parents[2]


def environment(sim: SimServer, token_path: Path, redis_url: str | None, **more: str) -> dict[str, str]:
    """The settings of such a process; nothing of this machine's own settings gets in."""
    known = {name.upper() for name in StreamSettings.model_fields}
    inherited = {name: value for name, value in os.environ.items() if name not in known}
    return inherited | {
        "PYTHONPATH": str(ROOT),
        "SCHWAB_CLIENT_ID": "id",
        "SCHWAB_CLIENT_SECRET": "secret",
        "SCHWAB_API_URL": sim.url,
        "SCHWAB_TOKEN_PATH": str(token_path),
        **({} if redis_url is None else {"REDIS_URL": redis_url}),
        **more,
    }


class Started:
    """A running command and what it has printed to standard error."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.lines.append(line.decode().rstrip())

    async def says(self, text: str, *, within_s: float = 15.0) -> None:
        """Wait for a line with `text`."""
        try:
            async with asyncio.timeout(within_s):
                while not any(text in line for line in self.lines):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{text!r} was not said; it said {self.lines}") from None


@asynccontextmanager
async def start_command(cwd: Path, env: Mapping[str, str], *arguments: str) -> AsyncIterator[Started]:
    """Runs the command in `cwd`; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streaming", "start", *arguments, cwd=cwd, env=dict(env), stderr=PIPE
    )
    started = Started(process)
    reading = asyncio.create_task(started.read(), name="reads standard error")
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading
