"""The real worker process: it draws, it shares, it is replaced when it hangs, and it never outlives its parent."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from bot.render.charts.chart_client import ChartWorker
from bot.render.charts.chart_spec import KINDS, chart_of
from bot.render.charts.chart_words import Asked
from streaming.errors import ContractError, TransientError
from tests.support.charts import NOON, day, past
from tests.support.day_maps import map_of

ROOT = Path(__file__).resolve().parents[4]
DAY = day(40)
CHARTS = {
    kind: chart_of(kind, DAY[-1], past(DAY), Asked(scope="full", weight="oi", theme="dark", now=NOON), map_of(DAY[-1]))
    for kind in KINDS
}
STRIKES = CHARTS["strikes"]
LIGHT = msgspec.structs.replace(STRIKES, theme="light")
HANGS = (sys.executable, "-c", "import time; time.sleep(60)")


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_picture_is_drawn_by_another_process_which_ends_with_the_context():
    async with ChartWorker() as charts:
        assert charts.pid is None, "nothing is started before the first picture"
        assert size_of(await charts.draw(STRIKES)) == (1440, 960)
        pid = charts.pid
        assert pid is not None
        light = await charts.draw(LIGHT)
        assert size_of(light) == (1440, 960)
        assert charts.pid == pid
    assert not is_alive(pid)


async def test_equal_requests_of_any_kind_share_one_drawing():
    async with ChartWorker(timeout_s=30) as charts:
        for kind in KINDS:
            pictures = await asyncio.gather(*(charts.draw(CHARTS[kind]) for _ in range(8)))
            assert len({id(picture) for picture in pictures}) == 1, kind
            assert await charts.draw(msgspec.structs.replace(CHARTS[kind])) is pictures[0], kind
            assert size_of(pictures[0]) == (1440, 960), kind


async def test_an_impatient_caller_does_not_spoil_the_others_picture():
    async with ChartWorker() as charts:
        first = asyncio.create_task(charts.draw(STRIKES))
        await asyncio.sleep(0)
        second = asyncio.create_task(charts.draw(STRIKES))
        await asyncio.sleep(0)
        first.cancel()
        assert size_of(await second) == (1440, 960)


async def test_a_worker_that_hangs_is_killed_and_replaced():
    async with ChartWorker(timeout_s=0.2, command=HANGS) as charts:
        await charts._started()
        pid = charts.pid
        assert pid is not None
        with pytest.raises(TransientError, match="too long"):
            await charts.draw(STRIKES)
        assert not is_alive(pid)
        charts._command = ChartWorker()._command
        charts._timeout_s = 20
        assert size_of(await charts.draw(STRIKES)) == (1440, 960)


async def test_a_worker_that_died_is_replaced_within_the_same_request():
    async with ChartWorker(timeout_s=30) as charts:
        await charts.draw(STRIKES)
        pid = charts.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert size_of(await charts.draw(LIGHT)) == (1440, 960)
        assert charts.pid != pid


async def test_a_worker_that_only_dies_is_an_error_after_the_second_try():
    async with ChartWorker(command=(sys.executable, "-c", "pass")) as charts:
        with pytest.raises(TransientError, match="failed"):
            await charts.draw(STRIKES)


async def test_a_picture_that_cannot_be_drawn_does_not_cost_the_next_one_its_worker():
    async with ChartWorker(timeout_s=30) as charts:
        with pytest.raises(ContractError):
            await charts.draw(msgspec.structs.replace(STRIKES, bars=()))
        pid = charts.pid
        assert size_of(await charts.draw(STRIKES)) == (1440, 960)
        assert charts.pid == pid


async def test_too_many_different_pictures_are_refused():
    async with ChartWorker(most_waiting=2, command=HANGS) as charts:
        waiting = [asyncio.create_task(charts.draw(msgspec.structs.replace(STRIKES, title=title))) for title in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(TransientError, match="Too many"):
            await charts.draw(STRIKES)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def test_the_worker_is_gone_when_its_parent_is_killed():
    script = (
        "import asyncio\n"
        "from bot.render.charts.chart_client import ChartWorker\n"
        "async def main():\n"
        "    async with ChartWorker() as charts:\n"
        "        await charts._started()\n"
        "        print(charts.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(worker)


async def test_the_worker_does_not_grow_with_what_it_draws():
    """A short form of what `tests/benchmarks/charts.py --memory` measures over a thousand pictures."""
    async with ChartWorker(timeout_s=30) as charts:
        for theme in ("dark", "light"):
            for chart in CHARTS.values():
                await charts.draw(msgspec.structs.replace(chart, theme=theme))
        assert charts.pid is not None
        before = resident_mb(charts.pid)
        for n in range(5):
            for chart in CHARTS.values():
                await charts.draw(msgspec.structs.replace(chart, title=f"{n}"))
        assert resident_mb(charts.pid) - before < 30


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
