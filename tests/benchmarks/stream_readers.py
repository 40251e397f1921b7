"""What reading alone costs: `python -m tests.benchmarks.stream_readers [--rounds N]`.

The frames of the stream benchmark from a process of its own, only taken and counted, by three readers: ours
(`streaming/schwab/stream/socket.py`), `websockets` as it comes (`recv(decode=False)`), and picows where it is
installed, which the program does not need. CPU microseconds a frame, medians of interleaved rounds.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager

from websockets.asyncio.client import connect

from streaming.schwab.stream.socket import MAX_FRAME, TextConnection
from tests.benchmarks.stream_frames import lab_mix

FRAMES = 200_000
SYMBOLS = lab_mix().symbols["LEVELONE_EQUITIES"]
REQUESTS = [
    json.dumps(
        {
            "requests": [
                {"service": name, "command": "SUBS", "requestid": "1", "parameters": {"keys": ",".join(SYMBOLS)}}
            ]
        }
    )
    for name in ("LEVELONE_EQUITIES", "NASDAQ_BOOK")
]
FIRST_FRAMES = len(REQUESTS) + 1
Reader = Callable[[str, asyncio.Future[None], asyncio.Future[None], int], Coroutine[object, object, None]]
"""Connects, asks, says when the first frames and when all are there."""


async def ours(url: str, ready: asyncio.Future[None], done: asyncio.Future[None], count: int) -> None:
    async with connect(url, create_connection=TextConnection, max_size=MAX_FRAME, compression=None) as connection:
        assert isinstance(connection, TextConnection)
        for request in REQUESTS:
            await connection.send(request)
        seen = 0
        while seen < FIRST_FRAMES + count:
            seen += len(await connection.receive_texts())
            if seen >= FIRST_FRAMES and not ready.done():
                ready.set_result(None)
        done.set_result(None)


async def websockets_alone(url: str, ready: asyncio.Future[None], done: asyncio.Future[None], count: int) -> None:
    async with connect(url, max_size=MAX_FRAME, compression=None) as connection:
        for request in REQUESTS:
            await connection.send(request)
        for _ in range(FIRST_FRAMES):
            await connection.recv(decode=False)
        ready.set_result(None)
        for _ in range(count):
            await connection.recv(decode=False)
        done.set_result(None)


async def picows_alone(url: str, ready: asyncio.Future[None], done: asyncio.Future[None], count: int) -> None:
    import picows

    class Listener(picows.WSListener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.texts: list[bytes] = []
            self.seen = 0

        def on_ws_frame(self, _transport: object, frame: picows.WSFrame) -> None:
            self.texts.append(frame.get_payload_as_bytes())
            self.seen += 1
            if self.seen % 64 == 0:
                self.texts.clear()
            if self.seen == FIRST_FRAMES:
                ready.set_result(None)
            if self.seen == FIRST_FRAMES + count:
                done.set_result(None)

    transport, _ = await picows.ws_connect(Listener, url)
    for request in REQUESTS:
        transport.send(picows.WSMsgType.TEXT, request.encode())
    await done
    transport.disconnect()


@asynccontextmanager
async def _feed() -> AsyncIterator[tuple[Process, str]]:
    command = (sys.executable, "-m", "tests.benchmarks.stream_feed", "lab")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        assert process.stdout is not None
        yield process, f"ws://127.0.0.1:{int(await process.stdout.readline())}/"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def measure(reader: Reader, count: int) -> tuple[float, float]:
    """CPU microseconds a frame, and frames a second."""
    loop = asyncio.get_running_loop()
    ready, done = loop.create_future(), loop.create_future()
    async with _feed() as (feed, url), asyncio.TaskGroup() as group:
        group.create_task(reader(url, ready, done, count))
        await ready
        assert feed.stdin is not None
        cpu_s, began_s = time.process_time(), time.monotonic()
        feed.stdin.write(b"%d 0\n" % count)
        await done
        return (time.process_time() - cpu_s) / count * 1e6, count / (time.monotonic() - began_s)


def _readers() -> Mapping[str, Reader]:
    readers: dict[str, Reader] = {"ours": ours, "websockets alone": websockets_alone}
    try:
        import picows  # noqa: F401 - optional
    except ImportError:
        print("picows is not installed; the program does not use it")
    else:
        readers["picows"] = picows_alone
    return readers


async def main() -> None:
    """Run everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    readers = _readers()
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
    for _ in range(rounds):
        for name, reader in readers.items():
            seen[name].append(await measure(reader, FRAMES))
    print(f"reading alone, median of {rounds}   CPU us/frame     frames/s")
    for name, several in seen.items():
        cpu_us, rate = (statistics.median(column) for column in zip(*several, strict=True))
        print(f"  {name:<28}{cpu_us:>12.2f} {rate:>12,.0f}")


if __name__ == "__main__":
    asyncio.run(main())
