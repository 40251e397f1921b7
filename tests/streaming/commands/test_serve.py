"""`python -m streaming serve` in a process of its own, as a service manager runs it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx

from streaming.bus.server.embedded import free_port
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.commands.cli import main
from tests.support.api import KNOWN, TOKEN
from tests.support.snapshots import snapshot

ROOT = Path(__file__).resolve().parents[3]


async def test_it_answers_for_whoever_writes_into_redis_until_it_is_told_to_stop(redis, redis_url, tmp_path):
    await SnapshotStore(redis).put(snapshot())
    port = free_port()
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REDIS_URL": redis_url}
    environment |= {"API_PORT": str(port), "API_TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming", "serve", "--tickers", "SPX,NDX"),
        cwd=tmp_path,
        env=environment,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(20), httpx.AsyncClient(headers=KNOWN) as http:
            while f"API: http://127.0.0.1:{port}" not in (line := (await process.stderr.readline()).decode()):
                assert line
            symbols = (await http.get(f"http://127.0.0.1:{port}/v1/symbols")).json()["symbols"]
            assert [(one["symbol"], one["source"]) for one in symbols] == [("SPX", "test"), ("NDX", None)]
            process.terminate()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_without_a_port_or_a_token_it_says_which_setting_is_missing(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("API_PORT", "API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    assert main(["serve"]) == 78
    assert "API_PORT is not set." in capsys.readouterr().err
    monkeypatch.setenv("API_PORT", "9106")
    monkeypatch.setenv("API_TOKEN", "short")
    assert main(["serve"]) == 78
    said = capsys.readouterr().err
    assert "API_TOKEN is not valid: expected 24 or more characters without a space." in said
    assert "short" not in said.replace("shortest", "")
