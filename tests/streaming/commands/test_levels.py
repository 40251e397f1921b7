"""streaming/commands/levels.py, in a process of its own as a shell runs it."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from streaming.bus.snapshots.snapshot_store import SnapshotStore
from tests.support.snapshots import snapshot

ROOT = Path(__file__).resolve().parents[3]


async def run(redis_url, tmp_path, *arguments):
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming", "levels", *arguments),
        cwd=tmp_path,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await process.communicate()
    return process.returncode, out.decode(), said.decode()


async def test_the_newest_levels_are_printed_for_another_program(redis, redis_url, tmp_path):
    await SnapshotStore(redis).put(snapshot())
    status, out, _ = await run(redis_url, tmp_path, "spx", "--format", "tradingview")
    assert status == 0
    assert out.splitlines()[0].endswith("Zero gamma,6385.50;Call wall,6450.00;Put wall,6300.00")
    _, table, _ = await run(redis_url, tmp_path, "SPX", "--weight", "vol")
    assert table.startswith("ticker,level,price,")
    assert table.count("\n") == 4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("NDX",), "There is no current snapshot of NDX."),
        (("SPX", "--view", "future"), "have not been quoted together yet"),
        (("!",), "is not a ticker"),
    ],
)
async def test_what_cannot_be_had_is_one_sentence_and_a_status(redis, redis_url, tmp_path, arguments, sentence):
    await SnapshotStore(redis).put(snapshot())
    status, out, said = await run(redis_url, tmp_path, *arguments)
    assert (status != 0, out) == (True, "")
    assert sentence in said
    assert "Traceback" not in said
