"""What the demo leaves and finds on the machine."""

import os
import subprocess
import sys

from bot.demo import open_demo


def pid_of_an_ended_process() -> str:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return ended.stdout.decode().strip()


async def test_a_demo_removes_what_killed_ones_left_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    killed = tmp_path / f"gexcord-demo-{pid_of_an_ended_process()}-abc"
    running = tmp_path / f"gexcord-demo-{os.getppid()}-abc"
    strange = tmp_path / "gexcord-demo-abc"
    for folder in (killed, running, strange):
        (folder / "redis").mkdir(parents=True)
    told: list[str] = []
    async with open_demo(chain_path=None, port=0, seed=1, tell=told.append):
        assert not killed.exists()
        assert running.exists()
        assert "/ in a browser" in told[0]
        assert strange.exists()
        assert len(list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))) == 1
    assert not list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))


def test_the_page_is_served_before_anything_heavy_is_imported():
    check = (
        "import sys, bot.app, bot.demo;"
        "heavy = {'numpy', 'discord', 'pydantic', 'redis', 'httpx', 'cryptography', 'matplotlib', 'streaming.model'};"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
