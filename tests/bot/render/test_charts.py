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

from bot.render.chart_spec import strikes_chart
from bot.render.charts import ChartWorker
from streaming.errors import ContractError, RequestError, TransientError
from tests.support.feed import OPEN_AT, snapshot

ROOT = Path(__file__).resolve().parents[3]
STRIKES = tuple((24500.0 + 10 * n, 40.0 - n, n - 60.0, ()) for n in range(110))
SNAPSHOT = snapshot(strikes=STRIKES)
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
        assert size_of(await charts.strikes(SNAPSHOT, now=OPEN_AT)) == (1440, 960)
        pid = charts.pid
        assert pid is not None
        light = await charts.strikes(SNAPSHOT, now=OPEN_AT, weight="oi", theme="light")
        assert size_of(light) == (1440, 960)
        assert charts.pid == pid
    assert not is_alive(pid)


async def test_equal_requests_share_one_drawing():
    async with ChartWorker() as charts:
        pictures = await asyncio.gather(*(charts.strikes(SNAPSHOT, now=OPEN_AT) for _ in range(8)))
        assert len({id(picture) for picture in pictures}) == 1
        assert await charts.strikes(SNAPSHOT, now=OPEN_AT) is pictures[0]


async def test_an_impatient_caller_does_not_spoil_the_others_picture():
    async with ChartWorker() as charts:
        first = asyncio.create_task(charts.strikes(SNAPSHOT, now=OPEN_AT))
        await asyncio.sleep(0)
        second = asyncio.create_task(charts.strikes(SNAPSHOT, now=OPEN_AT))
        await asyncio.sleep(0)
        first.cancel()
        assert size_of(await second) == (1440, 960)


async def test_a_worker_that_hangs_is_killed_and_replaced():
    async with ChartWorker(timeout_s=0.2, command=HANGS) as charts:
        await charts.prewarm()
        pid = charts.pid
        assert pid is not None
        with pytest.raises(TransientError, match="too long"):
            await charts.strikes(SNAPSHOT, now=OPEN_AT)
        assert not is_alive(pid)
        charts._command = ChartWorker()._command
        charts._timeout_s = 20
        assert size_of(await charts.strikes(SNAPSHOT, now=OPEN_AT)) == (1440, 960)


async def test_a_worker_that_died_is_replaced_within_the_same_request():
    async with ChartWorker(timeout_s=30) as charts:
        await charts.strikes(SNAPSHOT, now=OPEN_AT)
        pid = charts.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert size_of(await charts.strikes(SNAPSHOT, now=OPEN_AT, weight="oi")) == (1440, 960)
        assert charts.pid != pid


async def test_a_worker_that_only_dies_is_an_error_after_the_second_try():
    async with ChartWorker(command=(sys.executable, "-c", "pass")) as charts:
        with pytest.raises(TransientError, match="failed"):
            await charts.strikes(SNAPSHOT, now=OPEN_AT)


async def test_a_picture_that_cannot_be_drawn_does_not_cost_the_next_one_its_worker():
    async with ChartWorker(timeout_s=30) as charts:
        chart = strikes_chart(SNAPSHOT, weight="vol", theme="dark", now=OPEN_AT)
        with pytest.raises(ContractError):
            await charts._picture(msgspec.structs.replace(chart, bars=()))
        pid = charts.pid
        assert size_of(await charts.strikes(SNAPSHOT, now=OPEN_AT)) == (1440, 960)
        assert charts.pid == pid


async def test_a_snapshot_without_strikes_is_refused_before_anything_is_started():
    async with ChartWorker() as charts:
        with pytest.raises(RequestError, match="NQ_NDX has no figures by strike"):
            await charts.strikes(snapshot(), now=OPEN_AT)
        assert charts.pid is None


async def test_too_many_different_pictures_are_refused():
    async with ChartWorker(most_waiting=2, command=HANGS) as charts:
        waiting = [
            asyncio.create_task(charts.strikes(snapshot(strikes=STRIKES, asof_ms=n), now=OPEN_AT)) for n in (1000, 2000)
        ]
        await asyncio.sleep(0)
        with pytest.raises(TransientError, match="Too many"):
            await charts.strikes(SNAPSHOT, now=OPEN_AT)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


def test_the_worker_is_gone_when_its_parent_is_killed():
    script = (
        "import asyncio\n"
        "from bot.render.charts import ChartWorker\n"
        "async def main():\n"
        "    async with ChartWorker() as charts:\n"
        "        await charts.prewarm()\n"
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
