"""Real Redis-protocol servers on loopback for tests, each in a folder of its own."""

import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import redis as sync_redis

from streaming.bus.embedded import EmbeddedServer, free_port, open_embedded_server, server_command


@asynccontextmanager
async def embedded_redis(port: int = 0) -> AsyncIterator[EmbeddedServer]:
    """A server for one test that may kill it; the product's own code brings it back."""
    with TemporaryDirectory(prefix="gexcord-redis-") as folder:
        async with open_embedded_server(Path(folder), port) as server:
            yield server


@contextmanager
def plain_redis(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server without a keeper, and its process: what is killed stays dead. Needs no event loop."""
    port = free_port(port)
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(server_command(folder, port), stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        await_answer(port)
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        process.kill()
        process.communicate()


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
