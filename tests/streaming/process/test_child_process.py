"""streaming/process/child_process.py: what we start gets what it needs and no setting of ours; frames go both ways."""

import sys
from pathlib import Path

import pytest

from bot.render.charts.chart_client import ChartWorker
from bot.settings import BotSettings
from streaming.engine.process import EngineProcess
from streaming.process import child_process
from streaming.process.child_process import BROKEN, PipedProcess, child_environment


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


async def test_the_chart_worker_sees_no_secret(monkeypatch):
    monkeypatch.setenv("DISCORD_BOT_TOKEN", "hunter2")
    async with ChartWorker(command=(sys.executable, "-c", "import sys; sys.stdin.read()")) as charts:
        await charts._started()
        assert "hunter2" not in environment_of(charts.pid)


ECHO = (
    "from streaming.process.framing import frame, take_pipes\n"
    "pipe, answers = take_pipes()\n"
    "print('a library says something', flush=True)\n"
    "while (body := pipe.read()) is not None:\n"
    "    answers.write(frame(body))\n"
    "    answers.flush()\n"
)


def child(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


async def test_small_and_large_frames_come_back_and_nothing_printed_is_among_them():
    process = await PipedProcess.start(child(ECHO))
    for body in (b"", b"small", b"x" * 200_000):
        process.send(body)
        await process.taken()
        assert await process.read() == body
    await process.end()
    assert process.is_over


async def test_a_process_that_does_not_end_by_itself_is_killed(monkeypatch):
    monkeypatch.setattr(child_process, "_END_WITHIN_S", 0.1)
    process = await PipedProcess.start(child("import time; time.sleep(60)"))
    await process.end()
    assert process.is_over


@pytest.mark.parametrize("code", ["print('no frame at all', flush=True); input()", "pass"])
async def test_nonsense_and_an_end_are_what_broken_says(code):
    process = await PipedProcess.start(child(code))
    with pytest.raises(BROKEN):
        await process.read()
    await process.end()


async def test_a_program_that_does_not_exist_is_broken_too():
    with pytest.raises(BROKEN):
        await PipedProcess.start(("/nowhere/at/all",))


async def test_what_a_process_said_and_nobody_read_does_not_keep_its_pipe_open():
    talks = "import sys; sys.stdout.write('x' * 180_000); sys.stdout.flush(); sys.stdin.read()"
    process = await PipedProcess.start((sys.executable, "-c", talks))
    await process.end()
    assert process._outlet.at_eof()
