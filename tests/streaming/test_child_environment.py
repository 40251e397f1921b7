"""streaming/child_environment.py: every program we start is given what it needs and none of our settings."""

import sys
from pathlib import Path

from bot.render.charts.worker_client import ChartWorker
from bot.settings import BotSettings
from streaming.child_environment import child_environment
from streaming.engine.process import EngineProcess


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text().replace("\0", "\n")


def test_no_setting_of_ours_reaches_a_child_and_what_it_needs_does(monkeypatch):
    for name in BotSettings.model_fields:
        monkeypatch.setenv(name.upper(), "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    environment = child_environment()
    assert "hunter2" not in environment.values()
    assert environment["LC_ALL"] == "C.UTF-8"
    assert environment["PATH"]


async def test_the_engine_process_sees_no_secret(monkeypatch):
    monkeypatch.setenv("SCHWAB_CLIENT_SECRET", "hunter2")
    process = await EngineProcess.start((sys.executable, "-c", "import sys; sys.stdin.read()"))
    try:
        seen = environment_of(process.pid)
    finally:
        await process.end()
    assert "hunter2" not in seen
    assert "OMP_NUM_THREADS=1" in seen


async def test_the_chart_worker_sees_no_secret(monkeypatch):
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "hunter2")
    async with ChartWorker(command=(sys.executable, "-c", "import sys; sys.stdin.read()")) as charts:
        await charts.prewarm()
        assert "hunter2" not in environment_of(charts.pid)
