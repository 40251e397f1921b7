import argparse
import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from streaming.bus import keys
from streaming.bus.redis_connection import open_redis
from streaming.bus.snapshots.snapshot_store import SnapshotStore
from streaming.commands.cli import main
from streaming.commands.record import order_of
from streaming.errors import RequestError
from streaming.recording.recording_files import parts_in
from streaming.settings import StreamSettings
from tests.support.snapshots import snapshot

ROOT = Path(__file__).resolve().parents[3]


def settings(**values):
    return StreamSettings(_env_file=None, **values)


def test_the_settings_say_what_is_recorded_and_the_command_line_may_say_otherwise(tmp_path):
    order = order_of(settings(gex_record_path=tmp_path, gex_record_max_mb=7, gex_record_ticks=True))
    assert (order.path, order.max_mb, order.ticks, order.tickers) == (tmp_path, 7, True, None)
    order = order_of(settings(), argparse.Namespace(path=tmp_path / "x", ticks=True, tickers="nq, SPX"))
    assert (order.path, order.ticks, order.tickers) == (tmp_path / "x", True, {"NQ_NDX", "SPX"})


def test_what_is_no_ticker_is_refused():
    with pytest.raises(RequestError, match="not a ticker"):
        order_of(settings(), argparse.Namespace(path=None, ticks=False, tickers="SPX,!"))


class Process:
    """`python -m streaming record` in a process of its own."""

    def __init__(self, url, folder, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streaming", "record", "--path", str(folder), *options],
            cwd=ROOT,
            env={"REDIS_URL": url, "PATH": "/usr/bin:/bin", "HOME": str(folder.parent)},
            stderr=subprocess.PIPE,
        )

    def end(self, number):
        self.process.send_signal(number)
        return self.process.communicate(timeout=10)[1].decode()


async def subscribed(redis):
    async with asyncio.timeout(15):
        while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1] == 0:
            await asyncio.sleep(0.02)


async def test_a_signal_ends_it_with_everything_written(redis, redis_url, tmp_path):
    folder = tmp_path / "out"
    recorder = Process(redis_url, folder)
    await subscribed(redis)
    await SnapshotStore(redis).put(snapshot())
    await asyncio.sleep(0.05)
    said = recorder.end(signal.SIGTERM)
    assert recorder.process.returncode == 0
    assert f"Recorded 1 snapshots, 0 gaps, 0.0 MB into {folder}." in said
    assert b'"spot":6400.25' in zcat(folder)


async def test_a_kill_costs_at_most_the_last_second_and_a_second_run_goes_on(redis_url, tmp_path):
    folder = tmp_path / "out"
    async with open_redis(redis_url) as redis:
        store = SnapshotStore(redis)
        for run in (0, 100):
            recorder = Process(redis_url, folder)
            await subscribed(redis)
            for number in range(12):
                await store.put(snapshot(seq=run + number, spot=7000 + run + number))
                await asyncio.sleep(0.1)
            await asyncio.sleep(0.9)
            await store.put(snapshot(seq=run + 99, spot=9000 + run))
            recorder.end(signal.SIGKILL)
            async with asyncio.timeout(5):
                while (await redis.pubsub_numsub(keys.SNAPSHOT_STREAM))[0][1]:
                    await asyncio.sleep(0.02)
    found = zcat(folder)
    for run in (0, 100):
        for number in range(12):
            assert b'"spot":%d,' % (7000 + run + number) in found
    assert len(parts_in(folder)) == 2


def test_a_second_recorder_of_a_folder_ends_with_a_sentence(redis_url, tmp_path, monkeypatch, capsys):
    from streaming.recording.writer import RecordWriter

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", redis_url)
    with RecordWriter(tmp_path / "out", max_mb=10):
        status = main(["record", "--path", str(tmp_path / "out")])
    assert status == 70
    assert "records into" in capsys.readouterr().err


def zcat(folder):
    return subprocess.run(
        ["zcat", *(str(part.path) for part in parts_in(folder))], check=False, capture_output=True
    ).stdout
