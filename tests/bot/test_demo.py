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
    async with open_demo(chain_path=None, port=0, seed=1):
        assert not killed.exists()
        assert running.exists()
        assert strange.exists()
        assert len(list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))) == 1
    assert not list(tmp_path.glob(f"gexcord-demo-{os.getpid()}-*"))
