"""streaming/bus/server/embedded.py, address.py, folder.py, parent_death.py: a real server as a child."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis as sync_redis
from redis.exceptions import ResponseError

from streaming.bus.redis_connection import open_redis
from streaming.bus.server import embedded, parent_death
from streaming.bus.server.address import ServerAddress
from streaming.bus.server.embedded import free_port, open_embedded_server, running_url
from streaming.bus.server.folder import ServerFolder, ServerRecord, alive
from streaming.errors import UnavailableError
from tests.support.redis_server import plain_redis

ROOT = Path(__file__).resolve().parents[4]
PARENT = """
    import asyncio, sys
    from pathlib import Path
    from streaming.bus.server.embedded import open_embedded_server

    async def main():
        async with open_embedded_server(Path(sys.argv[1])) as server:
            print(server.url, server.pid, server.attached, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
"""


def _spawn(folder: Path) -> tuple[subprocess.Popen[str], str, int]:
    """Another process of ours on `folder`; its handle, the URL and the server's process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PARENT), str(folder)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    url, pid, _ = process.stdout.readline().split()
    return process, url, int(pid)


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()
    process.stdout.close()


def _running(pid: int) -> bool:
    """Whether the process exists and is more than an entry that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _gone_after_s(pid: int) -> float:
    began = time.monotonic()
    while _running(pid):
        assert time.monotonic() - began < 10
        time.sleep(0.01)
    return time.monotonic() - began


def from_outside(code: str, *arguments: str) -> str:
    """What another program prints, as another user where we may become one: tests/as_root has what only that shows."""
    user = {"user": 65534, "group": 65534, "extra_groups": ()} if os.geteuid() == 0 else {}
    answer = subprocess.run(
        ["/usr/bin/env", "python3", "-c", textwrap.dedent(code), *arguments],
        cwd="/", capture_output=True, text=True, check=False, **user,
    )  # fmt: skip
    return answer.stdout.strip() or answer.stderr


TALK = """
    import socket, sys
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as line:
        for command in sys.argv[2:]:
            line.sendall(command.encode() + b"\\r\\n")
            print(line.recv(4096).decode().split()[0])
"""


def socket_of(server) -> Path:
    return Path(server.url.removeprefix("unix://"))


async def test_it_answers_on_a_socket_that_only_its_owner_can_open(tmp_path):
    async with open_embedded_server(tmp_path / "data") as server:
        assert not server.attached
        assert server.url == f"unix://{tmp_path}/data/redis.sock"
        assert stat.S_IMODE(socket_of(server).stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        for path in (tmp_path / "data").rglob("*"):
            assert path.is_dir() or path.stat().st_mode & 0o077 == 0, path
        async with open_redis(server.url) as redis:
            assert (await redis.info("server"))["tcp_port"] == 0
            assert (await redis.info("persistence"))["aof_enabled"] == 1
        pid = server.pid
    assert not _running(pid)


async def test_a_shared_port_lets_another_user_do_nothing_without_the_password(tmp_path):
    async with open_embedded_server(tmp_path, share=True) as server:
        port = str(urlsplit(server.url).port)
        commands = ("PING", "GET a", "PUBLISH a b", "CLIENT PAUSE 10000", "SHUTDOWN", "AUTH guess")
        answers = from_outside(TALK, port, *commands).split()
        assert answers == ["-NOAUTH"] * 5 + ["-WRONGPASS"]
        async with open_redis(server.url) as redis:
            assert await redis.ping()


async def test_the_password_of_a_shared_port_is_in_one_private_file_and_nowhere_else(tmp_path, caplog):
    caplog.set_level("DEBUG")
    async with open_embedded_server(tmp_path, share=True) as server:
        password = urlsplit(server.url).password
        assert len(password) >= 40
        assert password not in await asyncio.to_thread(Path(f"/proc/{server.pid}/cmdline").read_text)
        holders = [path for path in tmp_path.rglob("*") if path.is_file() and password in path.read_text("latin-1")]
        assert [path.name for path in holders] == ["server.json"]
        assert stat.S_IMODE(holders[0].stat().st_mode) == 0o600
        assert password not in caplog.text


async def test_a_shared_port_and_its_password_stay_the_same_over_restarts(tmp_path):
    async with open_embedded_server(tmp_path, share=True) as server:
        first = server.url
    async with open_embedded_server(tmp_path, share=True) as server:
        assert server.url == first


async def test_a_shared_port_that_somebody_else_took_is_replaced_and_the_password_with_it(tmp_path, redis_url):
    taken = urlsplit(redis_url).port
    with ServerFolder(tmp_path) as folder:
        address = ServerAddress(socket=str(tmp_path / "redis.sock"), port=taken, password="told")
        folder.write_record(ServerRecord(address=address, owner_pid=1))
    async with open_embedded_server(tmp_path, share=True) as server, open_redis(server.url) as redis:
        assert urlsplit(server.url).port != taken
        assert urlsplit(server.url).password != "told"
        assert await redis.ping()


REFUSED = (
    "REPLICAOF 127.0.0.1 1", "SLAVEOF 127.0.0.1 1", "CONFIG GET dir", "CONFIG SET dir /", "SHUTDOWN NOSAVE",
    "DEBUG SLEEP 9", "MODULE LOAD /x.so", "FLUSHALL", "FLUSHDB", "ACL SETUSER default on nopass", "MONITOR",
    "CLIENT PAUSE 9000", "CLIENT KILL TYPE normal", "SAVE", "SWAPDB 0 1", "MIGRATE 127.0.0.1 1 k 0 1", "SYNC",
    "FAILOVER",
)  # fmt: skip


@pytest.mark.parametrize("share", [False, True])
async def test_commands_that_could_take_it_over_or_empty_it_are_off(tmp_path, share):
    async with open_embedded_server(tmp_path, share=share) as server, open_redis(server.url) as redis:
        await redis.set("kept", "yes")
        for command in REFUSED:
            with pytest.raises(ResponseError, match=r"no permissions|not allowed"):
                await redis.execute_command(*command.split())
        assert await redis.get("kept") == b"yes"


async def test_scripts_and_everything_the_program_uses_work(tmp_path):
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        script = redis.register_script("redis.call('SET', KEYS[1], ARGV[1]); return redis.call('PUBLISH', 'c', 'x')")
        assert await script(keys=["a"], args=["1"]) == 0
        assert await redis.xadd("s", {"a": 1})
        assert (await redis.xinfo_stream("s"))["length"] == 1
        assert await redis.keys("*")
        assert await redis.time()


async def test_data_from_before_is_read_although_it_holds_commands_that_are_off_now(tmp_path):
    with plain_redis(tmp_path) as (url, process), sync_redis.Redis.from_url(url) as client:
        client.set("old", "yes")
        client.flushall()
        client.set("kept", "yes")
        process.terminate()
        process.wait(5)
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        assert await redis.get("kept") == b"yes"
        assert await redis.get("old") is None


async def test_a_folder_that_was_open_to_others_is_closed(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    async with open_embedded_server(folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("trouble", ["owner", "file system"])
def test_a_folder_that_cannot_be_ours_alone_is_refused(tmp_path, monkeypatch, trouble):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "server.conf").write_text("")
    if trouble == "owner":
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    else:
        monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(UnavailableError, match="cannot be used") as caught:
        ServerFolder(folder)
    assert "REDIS_DATA_PATH" in caught.value.remedy


async def test_a_path_too_long_for_a_socket_gets_a_shorter_private_folder(tmp_path):
    folder = tmp_path / ("long" * 30)
    async with open_embedded_server(folder) as server, open_redis(server.url) as redis:
        first = socket_of(server)
        assert len(str(first)) <= 100
        assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700
        assert await redis.ping()
    async with open_embedded_server(folder) as server:
        assert socket_of(server) == first
    first.parent.rmdir()


async def test_a_shorter_folder_that_somebody_else_planted_is_not_used(tmp_path):
    folder = tmp_path / ("long" * 30)
    with ServerFolder(folder) as data:
        planted = data.socket_path().parent
    planted.chmod(0o777)
    try:
        async with open_embedded_server(folder) as server, open_redis(server.url) as redis:
            used = socket_of(server).parent
            assert used != planted
            assert stat.S_IMODE(used.stat().st_mode) == 0o700
            assert await redis.ping()
        used.rmdir()
    finally:
        planted.rmdir()


async def test_a_path_with_spaces_and_quotes_works(tmp_path):
    async with open_embedded_server(tmp_path / 'my "data" \\ \u00e9') as server, open_redis(server.url) as redis:
        assert await redis.ping()


async def test_the_server_sees_none_of_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "hunter2")
    async with open_embedded_server(tmp_path) as server:
        assert "hunter2" not in await asyncio.to_thread(Path(f"/proc/{server.pid}/environ").read_text)


async def test_who_attaches_uses_the_server_as_it_is_shared_or_not(tmp_path):
    parent, url, _ = await asyncio.to_thread(_spawn, tmp_path)
    try:
        async with open_embedded_server(tmp_path, share=True) as server:
            assert (server.attached, server.url) == (True, url)
            parent.kill()
            async with asyncio.timeout(5):
                while server.attached:
                    await asyncio.sleep(0.02)
            assert server.url == url
    finally:
        _end(parent)


@pytest.mark.parametrize("share", [False, True])
async def test_the_url_of_a_running_server_is_told(tmp_path, share):
    with pytest.raises(UnavailableError, match="No Redis server of ours"):
        await running_url(tmp_path)
    async with open_embedded_server(tmp_path, share=share) as server:
        assert await running_url(tmp_path) == server.url
    with pytest.raises(UnavailableError):
        await running_url(tmp_path)


async def test_data_and_address_survive_a_restart(tmp_path):
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        first = server.url
        await redis.set("kept", "yes")
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        assert await redis.get("kept") == b"yes"
        assert server.url == first


async def test_it_is_gone_within_two_seconds_of_a_parent_killed_hard_and_nothing_acknowledged_is_lost(tmp_path):
    parent, url, pid = await asyncio.to_thread(_spawn, tmp_path)
    try:
        async with open_redis(url) as redis:
            for n in range(200):
                await redis.xadd("events", {"n": n})
            parent.kill()
            assert await asyncio.to_thread(_gone_after_s, pid) < 2.0
    finally:
        _end(parent)
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        assert await redis.xlen("events") == 200


async def test_a_server_that_dies_comes_back_at_the_same_address_with_its_data(tmp_path):
    async with open_embedded_server(tmp_path) as server:
        async with open_redis(server.url) as redis:
            await redis.set("kept", "yes")
        first, url = server.pid, server.url
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(5):
            while server.pid == first:
                await asyncio.sleep(0.02)
        assert (server.url, server.restarts) == (url, 1)
        async with open_redis(url) as redis:
            assert await redis.get("kept") == b"yes"


async def test_a_second_process_attaches_to_the_running_server(tmp_path):
    parent, url, pid = await asyncio.to_thread(_spawn, tmp_path)
    try:
        async with open_embedded_server(tmp_path) as server:
            assert server.attached
            assert server.url == url
            async with open_redis(server.url) as redis:
                assert await redis.ping()
        assert alive(pid)
    finally:
        _end(parent)


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
async def test_an_attached_process_takes_the_server_over_when_its_owner_ends(tmp_path, ending):
    parent, url, _ = await asyncio.to_thread(_spawn, tmp_path)
    try:
        async with open_embedded_server(tmp_path) as server:
            async with open_redis(url) as redis:
                await redis.set("kept", "yes")
            parent.send_signal(ending)
            async with asyncio.timeout(5):
                while server.attached:
                    await asyncio.sleep(0.02)
            async with open_redis(url) as redis:
                assert await redis.get("kept") == b"yes"
    finally:
        _end(parent)


async def test_a_start_right_after_a_killed_parent_waits_for_the_old_server_to_end(tmp_path):
    parent, _, pid = await asyncio.to_thread(_spawn, tmp_path)
    _end(parent)
    async with open_embedded_server(tmp_path) as server:
        assert not server.attached
        assert server.pid != pid
        assert not _running(pid)


async def test_the_folder_stays_locked_until_the_server_is_gone_too(tmp_path):
    parent, _, pid = await asyncio.to_thread(_spawn, tmp_path)
    os.kill(pid, signal.SIGSTOP)
    _end(parent)
    with ServerFolder(tmp_path) as folder:
        locked = not folder.try_lock()
        os.kill(pid, signal.SIGCONT)
        assert locked
        async with asyncio.timeout(5):
            while not folder.try_lock():
                await asyncio.sleep(0.01)
    assert not _running(pid)


async def test_a_folder_held_by_something_that_does_not_answer_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_BUSY_FOLDER_S", 0.1)
    with ServerFolder(tmp_path) as holder:
        assert holder.try_lock()
        with pytest.raises(UnavailableError, match="no Redis server answers") as caught:
            async with open_embedded_server(tmp_path):
                pass
    assert "REDIS_DATA_PATH" in caught.value.remedy
    assert caught.value.exit_status == 69


async def test_a_recorded_socket_outside_a_private_folder_is_not_trusted(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_BUSY_FOLDER_S", 0.1)
    (open_to_all := tmp_path / "open").mkdir()
    open_to_all.chmod(0o777)

    async def greet(_reader, writer):
        writer.write(b"+PONG\r\n")
        writer.close()

    async with await asyncio.start_unix_server(greet, open_to_all / "redis.sock"):
        with ServerFolder(tmp_path / "data") as holder:
            assert holder.try_lock()
            address = ServerAddress(socket=str(open_to_all / "redis.sock"))
            holder.write_record(ServerRecord(address=address, owner_pid=os.getpid()))
            with pytest.raises(UnavailableError):
                async with open_embedded_server(tmp_path / "data"):
                    pass


async def test_damaged_data_is_said_in_one_sentence(tmp_path):
    async with open_embedded_server(tmp_path) as server, open_redis(server.url) as redis:
        await redis.set("kept", "yes")
    for part in (tmp_path / "appendonlydir").glob("*.incr.aof"):
        part.write_bytes(b"garbage" * 100)
    with pytest.raises(UnavailableError, match="does not start") as caught:
        async with open_embedded_server(tmp_path):
            pass
    assert "\n" not in caught.value.sentence


async def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UnavailableError) as caught:
        async with open_embedded_server(tmp_path / "file" / "data"):
            pass
    assert "REDIS_DATA_PATH" in caught.value.remedy


async def test_a_platform_without_a_binary_is_told_to_set_the_url_before_a_folder_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded.platform, "system", lambda: "Windows")
    with pytest.raises(UnavailableError, match="Windows") as caught:
        async with open_embedded_server(tmp_path / "data"):
            pass
    assert "REDIS_URL" in caught.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_it_must_be_opened_on_the_main_thread(tmp_path):
    async def enter():
        async with open_embedded_server(tmp_path):
            pass

    failures = []

    def run():
        try:
            asyncio.run(enter())
        except RuntimeError as error:
            failures.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert failures == ["the embedded server must be opened on the main thread"]


def test_a_leash_whose_parent_is_already_gone_starts_nothing(tmp_path):
    mark = tmp_path / "started"
    command = [sys.executable, "-I", "-S", parent_death.__file__, "1", "/usr/bin/touch", str(mark)]
    assert subprocess.run(command, check=False).returncode == 3
    assert not mark.exists()


@pytest.mark.parametrize("how", ["parent", "program", "signal"])
def test_where_the_kernel_does_not_help_the_script_itself_ends_the_program(tmp_path, how):
    script = (
        "import sys; from streaming.bus.server import parent_death; sys.exit(parent_death._watch_parent(sys.argv[1:]))"
    )
    body = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(float(sys.argv[1]))"
    seconds = "0.2" if how == "program" else "60"
    watcher = subprocess.Popen(
        [sys.executable, "-c", script, sys.executable, "-c", body, seconds],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(watcher.stdout.readline())
    if how == "parent":
        watcher.stdin.close()
    elif how == "signal":
        watcher.terminate()
    assert watcher.wait(5) == (0 if how == "program" else 128 + signal.SIGTERM)
    assert not _running(pid)
    watcher.stdout.close()
    watcher.stdin.close()


def test_free_port_gives_the_wish_when_nobody_listens_there():
    wish = free_port()
    assert free_port(wish) == wish
