"""What the demo leaves and finds on the machine, and what its stand-ins say of themselves."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.demo.surroundings import open_demo
from streaming.errors import RequestError


def pid_of_an_ended_process() -> str:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return ended.stdout.decode().strip()


def processes_below(pid: int) -> list[str]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [Path(f"/proc/{child}/cmdline").read_text() for child in children]


async def test_a_demo_removes_what_killed_ones_left_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = tmp_path / f"gexcord-demo-{pid_of_an_ended_process()}-abc"
    running = tmp_path / f"gexcord-demo-{os.getppid()}-abc"
    strange = tmp_path / "gexcord-demo-abc"
    for folder in (killed, running, strange):
        (folder / "redis").mkdir(parents=True)
    told: list[str] = []
    async with open_demo(chain_path=None, port=0, seed=1, tell=told.append) as demo:
        assert not killed.exists()
        assert running.exists()
        assert "/ in a browser" in told[0]
        assert strange.exists()
        assert len(list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))) == 1
        assert any("bot.demo" in command for command in processes_below(os.getpid()))
        await demo.sign_in()
        assert demo.settings.schwab_token_path.exists()
    assert not list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))
    assert not any("bot.demo" in command for command in processes_below(os.getpid()))


async def test_a_file_that_is_no_chain_is_the_callers_and_is_named(tmp_path):
    with pytest.raises(RequestError, match=r"nothing\.json"):
        async with open_demo(chain_path=tmp_path / "nothing.json", port=0, seed=1, tell=print):
            pass


def test_the_stand_ins_are_started_before_anything_heavy_is_imported():
    check = (
        "import sys, bot.app, bot.demo.surroundings;"
        "heavy = {'numpy', 'discord', 'pydantic', 'redis', 'httpx', 'cryptography', 'matplotlib', 'streaming.model'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
