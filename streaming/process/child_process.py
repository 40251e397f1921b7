"""Programs that we start: the environment they are given, and one that is talked to in frames over its pipes."""

import asyncio
import os
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import msgspec

from streaming.process.framing import HEADER, MOST_BYTES, frame, header

BROKEN: Final = (OSError, asyncio.IncompleteReadError, msgspec.MsgspecError, ValueError)
"""What a process that cannot be started, ends or talks nonsense raises."""
ROOT: Final = Path(__file__).resolve().parents[2]
_END_WITHIN_S: Final = 2.0
_COPIED_BYTES: Final = 64 * 1024
"""A small frame costs one call to the system; a large one is not copied."""

_NEEDED: Final = frozenset({
    "PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "VIRTUAL_ENV",
    "MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME",  # where matplotlib keeps its list of fonts
})  # fmt: skip
_NEEDED_KINDS: Final = ("LC_", "LD_", "DYLD_", "PYTHON")


def child_environment() -> dict[str, str]:
    """Those of our own variables that a child may see; tokens, keys and addresses stay here."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith(_NEEDED_KINDS)}


class PipedProcess:
    """A running program of ours that is told and tells in frames; `end` it in any case."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018  # both are pipes
        self._process = process
        self._inlet = process.stdin
        self._outlet = process.stdout
        self.end_within_s = _END_WITHIN_S
        """After that, one that was told to end is killed."""

    @classmethod
    async def start(cls, command: tuple[str, ...], **variables: str) -> Self:
        """Start it with these variables besides those of every child; OSError when that is not possible."""
        environment = child_environment() | variables
        return cls(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, cwd=ROOT, env=environment))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    @property
    def unread(self) -> int:
        """Bytes that the pipe has not taken yet."""
        return self._inlet.transport.get_write_buffer_size()

    def send(self, body: bytes) -> None:
        """Give it a frame without waiting; ValueError for one that is too large."""
        if len(body) <= _COPIED_BYTES:
            self._inlet.write(frame(body))
        else:
            self._inlet.write(header(body))
            self._inlet.write(body)

    async def taken(self) -> None:
        """Wait until the pipe has room again; ConnectionError when the process has ended."""
        await self._inlet.drain()

    async def read(self) -> bytes:
        """Its next frame; IncompleteReadError at its end, ValueError for a frame that cannot be one of ours."""
        (length,) = HEADER.unpack(await self._outlet.readexactly(HEADER.size))
        if length > MOST_BYTES:
            raise ValueError(f"a frame of {length} bytes is too large")
        return await self._outlet.readexactly(length)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def wait(self) -> int:
        """Wait until it has ended; its exit status."""
        return await self._process.wait()

    async def end(self) -> None:
        """Close its input, which ends it, and wait until it is gone."""
        self._inlet.close()
        try:
            async with asyncio.timeout(self.end_within_s):
                await self._emptied()
                await self._process.wait()
        except TimeoutError:
            await self.kill_and_wait()
        except asyncio.CancelledError:
            await self.kill_and_wait()
            raise

    async def _emptied(self) -> None:
        """Let go what it still said: a pipe that nobody reads to its end stays open after the process."""
        with suppress(RuntimeError):  # somebody else is reading it
            await self._outlet.read()

    async def kill_and_wait(self) -> None:
        """End it at once, and wait until it is gone."""
        self.kill()
        await self._process.wait()
