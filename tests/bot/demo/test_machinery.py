"""What the panel reads of Redis, and what it does to processes."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from bot.demo.machinery import Machinery, ask, machine_parts, pid_of, stopped
from bot.demo.stand_in_process import Bots
from bot.sandbox.visitor.backstage import Lever
from bot.sandbox.world.api_errors import ApiError
from streaming.bus.server.address import ServerAddress
from streaming.bus.server.folder import ServerRecord

INFO = "# Server\r\nprocess_id:{pid}\r\nuptime_in_seconds:7\r\ntotal_commands_processed:9\r\n"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


async def said_to(socket: Path, answer: bytes, *commands: str) -> tuple[list[object], bytes]:
    """What a server of one answer is asked, and what is made of the answer."""
    heard = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heard
        heard = await reader.readline()
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_unix_server(serve, socket):
        return list(await ask(str(socket), *commands)), heard


async def test_replies_are_read_whatever_their_kind(tmp_path: Path) -> None:
    answer = b"$5\r\na\r\nbc\r\n*2\r\n$1\r\nk\r\n$-1\r\n:3\r\n"
    found, heard = await said_to(tmp_path / "s", answer, "INFO", "HGETALL h", "DBSIZE")
    assert found == ["a\r\nbc", ["k", None], "3"]
    assert heard == b"INFO\r\n"


@pytest.mark.parametrize("answer", [b"-LOADING data\r\n", b""])
async def test_a_redis_that_refuses_or_goes_is_not_there(tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(ConnectionError):
        await said_to(tmp_path / "s", answer, "INFO")


async def test_before_there_are_bots_gauges_say_so_and_buttons_refuse() -> None:
    machinery = Machinery()
    for read in (machinery.redis, machinery.engine):
        assert [(row.name, row.value) for row in await read()] == [("answers", "no")]
    for part in machine_parts(machinery, two=True):
        if isinstance(part, Lever):
            with pytest.raises(ApiError):
                async with part.hold():
                    pass


@pytest.mark.parametrize(
    ("owner", "pid"), [("host:42:ab12cd", 42), ("a:b:42:ab12cd", 42), ("e9e1cc1b", 0), ("x:y:z", 0), (None, 0)]
)
def test_a_lease_names_the_process_that_holds_it(owner: str | None, pid: int) -> None:
    assert pid_of(owner) == pid


def test_a_process_stands_still_inside_and_goes_on_afterwards(sleeper: subprocess.Popen[bytes]) -> None:
    def still() -> bool:
        os.waitid(os.P_PID, sleeper.pid, os.WSTOPPED | os.WCONTINUED | os.WNOWAIT)
        return state_of(sleeper.pid) == "T"

    with stopped((sleeper.pid, 2**22 + 1)):
        assert still()
    assert not still()


async def test_redis_is_ended_by_the_id_that_it_tells(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    body = INFO.format(pid=sleeper.pid).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"$%d\r\n%s\r\n" % (len(body), body))
        await writer.drain()
        writer.close()

    record = ServerRecord(address=ServerAddress(socket=str(tmp_path / "s")), owner_pid=1)
    (tmp_path / "server.json").write_bytes(msgspec.json.encode(record))
    machinery = Machinery(Bots(str(tmp_path), ()))
    async with await asyncio.start_unix_server(serve, tmp_path / "s"), machinery.restarted_redis():
        assert await asyncio.to_thread(sleeper.wait, 5) == -15
