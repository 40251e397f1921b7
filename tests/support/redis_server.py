"""Real Redis-protocol servers for tests, each in a folder of its own."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import redis as sync_redis

from streaming.bus.server import parent_death
from streaming.bus.server.embedded import EmbeddedServer, free_port, open_embedded_server, server_binary

OPTIONS = ("--bind", "127.0.0.1", "--appendonly", "yes", "--appendfsync", "everysec", "--save", "")


@asynccontextmanager
async def embedded_redis() -> AsyncIterator[EmbeddedServer]:
    """A server for one test that may kill it; the product's own code brings it back."""
    with TemporaryDirectory(prefix="gexcord-redis-") as folder:
        async with open_embedded_server(Path(folder)) as server:
            yield server


@contextmanager
def plain_redis(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Somebody else's server on loopback, which obeys every command, and its process: what is killed stays dead."""
    port = free_port(port)
    command = plain_command(folder, port)
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        await_answer(port)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.communicate()


def plain_command(folder: Path, port: int) -> list[str]:
    """The command line of such a server, which dies with this process."""
    program = [sys.executable, "-I", "-S", parent_death.__file__, str(os.getpid()), str(server_binary())]
    return [*program, "--port", str(port), "--dir", str(folder), *OPTIONS]


def await_answer(port: int, *, within_s: float = 10.0) -> None:
    """Wait until a server answers on `port`."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            with sync_redis.Redis(port=port) as client:
                client.ping()
        except sync_redis.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
