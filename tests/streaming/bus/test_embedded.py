"""streaming/bus/embedded.py, server_folder.py and leash.py: a real server as a child, killed in every way."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from streaming.bus import embedded, leash
from streaming.bus.connection import open_redis
from streaming.bus.embedded import free_port, open_embedded_server, server_binary
from streaming.bus.server_folder import ServerFolder, ServerRecord, alive
from streaming.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
PARENT = """
    import asyncio, sys
    from pathlib import Path
    from streaming.bus.embedded import open_embedded_server

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


async def test_it_answers_on_loopback_only_and_keeps_its_folder_private(tmp_path):
    async with open_embedded_server(tmp_path / "data") as server:
        assert server.url.startswith("redis://127.0.0.1:")
        assert not server.attached
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
        async with open_redis(server.url) as redis:
            assert (await redis.config_get("bind"))["bind"] == "127.0.0.1"
            assert (await redis.config_get("appendonly"))["appendonly"] == "yes"
        pid = server.pid
    assert not _running(pid)


async def test_data_and_port_survive_a_restart(tmp_path):
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


async def test_a_server_that_dies_comes_back_on_the_same_port_with_its_data(tmp_path):
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


async def test_a_foreign_server_on_the_recorded_port_is_not_mistaken_for_ours(tmp_path, redis_url, monkeypatch):
    monkeypatch.setattr(embedded, "_BUSY_FOLDER_S", 0.1)
    with ServerFolder(tmp_path) as holder:
        assert holder.try_lock()
        holder.write_record(ServerRecord(port=int(redis_url.split(":")[2].split("/")[0]), owner_pid=os.getpid()))
        with pytest.raises(UnavailableError):
            async with open_embedded_server(tmp_path):
                pass


async def test_a_port_in_use_is_said_with_the_servers_own_words(tmp_path, redis_url):
    taken = int(redis_url.split(":")[2].split("/")[0])
    with pytest.raises(UnavailableError, match="does not start") as caught:
        async with open_embedded_server(tmp_path, port=taken):
            pass
    assert "Failed listening on port" in str(caught.value)


async def test_a_recorded_port_that_somebody_else_took_is_replaced(tmp_path, redis_url):
    taken = int(redis_url.split(":")[2].split("/")[0])
    with ServerFolder(tmp_path) as folder:
        folder.write_record(ServerRecord(port=taken, owner_pid=1))
    async with open_embedded_server(tmp_path) as server:
        assert server.port != taken


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


async def test_a_platform_without_a_binary_is_told_to_set_the_url(monkeypatch):
    monkeypatch.setattr(embedded.platform, "system", lambda: "Windows")
    with pytest.raises(UnavailableError, match="Windows") as caught:
        server_binary()
    assert "REDIS_URL" in caught.value.remedy


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
    command = [sys.executable, "-I", "-S", leash.__file__, "1", "/usr/bin/touch", str(mark)]
    assert subprocess.run(command, check=False).returncode == 3
    assert not mark.exists()


@pytest.mark.parametrize("how", ["parent", "program", "signal"])
def test_where_the_kernel_does_not_help_the_leash_itself_ends_the_program(tmp_path, how):
    script = "import sys; from streaming.bus import leash; sys.exit(leash._watch_parent(sys.argv[1:]))"
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
