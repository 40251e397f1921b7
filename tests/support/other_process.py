"""Python in another process, for what must be seen or killed from outside."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def python_process(code: str, *arguments: str) -> AsyncIterator[Process]:
    """Runs `code` in the project's folder with its output to read; killed at the end if it still runs."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, *arguments, cwd=ROOT, stdout=PIPE)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def line_of(process: Process) -> str:
    """The next line it prints, within ten seconds."""
    async with asyncio.timeout(10):
        return (await process.stdout.readline()).decode().strip()
